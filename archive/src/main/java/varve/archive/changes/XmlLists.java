package varve.archive.changes;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import varve.archive.format.Decimal;
import varve.archive.format.Xml;

/// Change lists in XML, read as a stream: those of `thin_delta`, `era_invalidate` and `rbd diff --format xml`. A list that is cut off
/// is no XML, so none is taken for a whole one.
final class XmlLists {

    private static final int SECTOR = 512;

    private static final Set<String> CHANGED = Set.of("different", "left_only", "right_only");
    private static final String SAME = "same";

    private XmlLists() {}

    /// One start of an element.
    private interface Taker {
        /// @param depth 1 for the outermost; never more than in a list of its kind, since then it throws
        void element(int depth, String name, Xml xml) throws IOException;
    }

    private static void walk(InputStream in, Taker taker) throws IOException {
        Xml xml = new Xml(in);
        while (xml.next()) {
            if (xml.start()) {
                taker.element(xml.depth(), xml.name(), xml);
            }
        }
    }

    /// Reads what `thin_delta` prints, 0.9 and 1.x, with and without `--verbose`; left is the older device. What is only in the
    /// left one reads as zeros now, so it has changed, too.
    static void thinDelta(InputStream in, ChangeList list) throws IOException {
        long[] unit = {0};
        boolean[] diff = {false};
        boolean[] changed = {false}; // what the element of depth 3 has in it
        walk(in, (depth, name, xml) -> {
            switch (depth) {
                case 1 -> {
                    expect(name.equals("superblock"), xml, "superblock");
                    unit[0] = Math.multiplyExact(number(xml, "data_block_size"), SECTOR);
                    if (unit[0] == 0) {
                        throw new IllegalArgumentException("data_block_size is 0");
                    }
                }
                case 2 -> {
                    expect(name.equals("diff") && !diff[0], xml, "one diff");
                    diff[0] = true;
                }
                case 3 -> {
                    changed[0] = CHANGED.contains(name);
                    expect(changed[0] || name.equals(SAME), xml, "same, different, left_only or right_only");
                    if (changed[0] && xml.hasAttributes()) {
                        add(list, xml, unit[0]);
                    }
                }
                case 4 -> {
                    expect(name.equals("range"), xml, "range");
                    if (changed[0]) {
                        add(list, xml, unit[0]);
                    }
                }
                default -> expect(false, xml, "nothing so deep");
            }
        });
        if (!diff[0]) {
            throw new IllegalArgumentException("there is no diff in it");
        }
    }

    private static void add(ChangeList list, Xml xml, long unit) {
        list.add(Math.multiplyExact(number(xml, "begin"), unit), Math.multiplyExact(number(xml, "length"), unit));
    }

    /// Reads what `era_invalidate --written-since` prints. An end is exclusive.
    ///
    /// @param unit bytes of an era block
    static void era(InputStream in, long unit, ChangeList list) throws IOException {
        walk(in, (depth, name, xml) -> {
            if (depth == 1) {
                expect(name.equals("blocks"), xml, "blocks");
            } else if (depth == 2 && name.equals("block")) {
                list.add(Math.multiplyExact(number(xml, "block"), unit), unit);
            } else {
                expect(depth == 2 && name.equals("range"), xml, "block or range");
                long begin = number(xml, "begin");
                long end = number(xml, "end");
                if (end <= begin) {
                    throw new IllegalArgumentException("a range from " + begin + " to before " + end);
                }
                list.add(Math.multiplyExact(begin, unit), Math.multiplyExact(end - begin, unit));
            }
        });
    }

    /// Reads what `rbd diff --format xml` prints.
    static void rbd(InputStream in, ChangeList list) throws IOException {
        long[] extent = {-1, -1};
        walk(in, (depth, name, xml) -> {
            switch (depth) {
                case 1 -> expect(name.equals("extents"), xml, "extents");
                case 2 -> {
                    expect(name.equals("extent"), xml, "extent");
                    extent[0] = -1;
                    extent[1] = -1;
                }
                case 3 -> {
                    String text = xml.text();
                    switch (name) {
                        case "offset" -> extent[0] = Decimal.parse(name, text);
                        case "length" -> extent[1] = Decimal.parse(name, text);
                        case "exists" -> {
                            if (!text.equals("true") && !text.equals("false")) {
                                throw new IllegalArgumentException("exists is \"" + text + "\"");
                            }
                            list.add(extent[0], extent[1]); // they come first
                        }
                        default -> expect(false, xml, "offset, length and exists");
                    }
                }
                default -> expect(false, xml, "nothing so deep");
            }
        });
    }

    private static void expect(boolean holds, Xml xml, String what) {
        if (!holds) {
            throw new IllegalArgumentException("line " + xml.line() + ": expected " + what + ", found " + xml.name());
        }
    }

    private static long number(Xml xml, String attribute) {
        return Decimal.parse(attribute, xml.attribute(attribute));
    }
}
