package varve.archive.changes;

import java.io.IOException;
import varve.archive.block.RefusedException;

/// What a change list can be had from. As a text it is what messages call the list.
public interface Listing {

    /// Reads the list for a device.
    ///
    /// @param size of the device as it is now
    /// @throws RefusedException if there is no whole and valid list, or it is of another device
    ChangeList read(long size) throws IOException;

    /// {@return a list that has been read}
    static Listing of(String name, ChangeList list) {
        return new Listing() {
            @Override
            public ChangeList read(long size) throws IOException {
                if (size != list.size()) {
                    throw new RefusedException(name + ": is of a device of " + list.size() + " bytes, this one has " + size);
                }
                return list;
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }
}
