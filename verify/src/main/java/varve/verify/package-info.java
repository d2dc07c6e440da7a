/// Proof: what of a vault is as it was when it was written, how deep that was looked at, and what was not.
///
/// A [varve.verify.Verifier] looks at a volume or a point in time as deep as a [varve.archive.vault.Depth] says and makes a
/// [varve.verify.Report] of [varve.verify.Finding] values. A [varve.verify.SourceHasher] computes the root of a device
/// outside of any vault, and lists its hashes ([varve.verify.HashList]) for later comparison.
@NullMarked
package varve.verify;

import org.jspecify.annotations.NullMarked;
import varve.verify.source.HashList;
import varve.verify.source.SourceHasher;
