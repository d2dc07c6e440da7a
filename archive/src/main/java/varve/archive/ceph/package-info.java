/// Images of a Ceph cluster, read through `librbd` (foreign-function API): nothing has to be mapped, so nothing is left over.
@NullMarked
package varve.archive.ceph;

import org.jspecify.annotations.NullMarked;
