/// What other programs say has changed on a device. A *change list* names the blocks that may differ from an earlier state; whoever
/// believes it need not read the rest. A [varve.archive.changes.ChangeList] is such a list as a set of blocks, a
/// [varve.archive.changes.ChangeSource] the file and the kind it is read from. Lists have lied in practice: nothing here is
/// believed for more than where to look, and [varve.archive.Archiver] audits what a list calls unchanged.
@NullMarked
package varve.archive.changes;

import org.jspecify.annotations.NullMarked;
