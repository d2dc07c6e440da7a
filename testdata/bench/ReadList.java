import java.nio.file.Path;
import java.util.OptionalLong;
import varve.archive.changes.ChangeList;
import varve.archive.changes.ChangeSource;

/// Reads a change list: `java -cp CLASSES ReadList.java KIND:FILE SIZE`. For testdata/bench/changes.
public final class ReadList {

    private ReadList() {}

    public static void main(String[] args) throws Exception {
        ChangeSource source = ChangeSource.parse(args[0], OptionalLong.empty());
        long start = System.nanoTime();
        ChangeList list = source.read(Long.parseLong(args[1]));
        System.out.printf("%d bytes listed, read in %.2f s%n", list.listedSize(), (System.nanoTime() - start) / 1e9);
    }
}
