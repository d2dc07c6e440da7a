/// age v1 files (https://age-encryption.org/v1), as varve needs them: sealed for public keys, and read at any position with a secret one.
///
/// Nouns: a **file key** encrypts one file; the **header** has it wrapped once for each **recipient**, in a **stanza** that the
/// **identity** of that recipient opens. Behind the header is the **payload**: a nonce, and chunks of 64 KiB of the content,
/// each encrypted and authenticated with its number. A header can be made anew without touching the payload.
///
/// Nothing here knows of archives, vaults or rules of FORMAT.md: what is no age file is an [AgeFormatException].
@NullMarked
package varve.archive.seal;

import org.jspecify.annotations.NullMarked;
