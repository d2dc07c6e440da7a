package varve.mounthelper.nbd;

import java.io.IOException;
import java.util.List;
import varve.archive.vault.NotFoundException;

/// All that a server offers. Asked by many connections at once.
public interface Exports {

    /// {@return what is offered now}
    List<Export> list() throws IOException;

    /// {@return the export that a client means by a name; empty is the default export}
    /// @throws NotFoundException if there is none
    Export find(String name) throws IOException;
}
