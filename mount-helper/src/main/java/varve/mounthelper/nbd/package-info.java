/// An NBD server: requests of the network block device protocol answered from block sources.
///
/// [NbdServer] takes connections from a [Listener], each with a virtual thread of its own: a `Handshake`, in which the client
/// chooses one of the [Exports], then a `Transmission`, in which it reads, each request again in a thread of its own. What
/// requests hold in memory comes from the `Buffers` of the whole server.
///
/// The protocol is that of proto.md of the NBD project (https://github.com/NetworkBlockDevice/nbd, doc/proto.md), with
/// extended headers as in its branch extension-ext-header; comments name its sections.
@NullMarked
package varve.mounthelper.nbd;

import org.jspecify.annotations.NullMarked;
