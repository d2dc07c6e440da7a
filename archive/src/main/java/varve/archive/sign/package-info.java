/// Keys and signatures: Ed25519 in the files of minisign, so that `minisign -V` checks what varve has signed, and the reverse.
///
/// A [SecretKey] signs, a [PublicKey] verifies, a [Signature] is the text beside the file. Which keys a host believes is its [Trust].
///
/// The layout of the files is that of https://jedisct1.github.io/minisign/; Ed25519 is RFC 8032, BLAKE2b RFC 7693, scrypt RFC 7914.
@NullMarked
package varve.archive.sign;

import org.jspecify.annotations.NullMarked;
