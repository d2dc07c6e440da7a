/// One zstd frame in, one frame out. The only package that knows zstd-jni.
///
/// Native code gets off-heap memory only: JDK-8377811 let it see moved heap arrays.
@NullMarked
package varve.archive.codec;

import org.jspecify.annotations.NullMarked;
