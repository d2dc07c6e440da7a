/// Archives and patches of other tools.
///
/// A *form* is how a foreign file is laid out ([Form]). Some hold an image, plain or packed ([Unpacking], [QemuImage]); the others
/// are *patches*: they say how a device differs from some other state of it, in one *step* or several ([Patch]). A patch is read into a
/// [PatchTable], which knows for each block where its bytes are, and the table over its parent is a [PatchedDevice]: a block source
/// like any other. What a form does not promise, such as which state it applies to, its [Form#caveat] says.
///
/// The other way round, [ImageExport] and [PatchExport] write what other tools read.
///
/// Files are read as what they are: untrusted. Each number is checked before it is used, and memory does not depend on any of them.
@NullMarked
package varve.archive.foreign;

import org.jspecify.annotations.NullMarked;
