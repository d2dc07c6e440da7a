package varve.archive.changes;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/// Change lists in XML, read as a stream: those of `thin_delta`, `era_invalidate` and `rbd diff --format xml`. A list that is cut off
/// is no XML, so none is taken for a whole one; external entities and document types are off.
final class XmlLists {

    private static final XMLInputFactory FACTORY = factory();

    private static final int SECTOR = 512;

    private static final Set<String> CHANGED = Set.of("different", "left_only", "right_only");
    private static final String SAME = "same";

    private XmlLists() {}

    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_NAMESPACE_AWARE, false);
        return factory;
    }

    /// One start of an element.
    private interface Taker {
        /// @param path names of the elements around it, the outermost first, and its own; never deeper than a list of its kind is, since then it throws
        void element(List<String> path, String name, XMLStreamReader xml) throws XMLStreamException;
    }

    private static void walk(InputStream in, Taker taker) {
        try {
            XMLStreamReader xml = FACTORY.createXMLStreamReader(in);
            List<String> path = new ArrayList<>();
            while (xml.hasNext()) {
                switch (xml.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        path.add(xml.getLocalName());
                        taker.element(path, path.getLast(), xml);
                        if (xml.isEndElement()) { // the taker has read its text
                            path.removeLast();
                        }
                    }
                    case XMLStreamConstants.END_ELEMENT -> path.removeLast();
                    default -> {}
                }
            }
        } catch (XMLStreamException e) {
            throw new IllegalArgumentException("no whole XML document: line " + e.getLocation().getLineNumber() + ": "
                    + e.getMessage().lines().reduce("", (first, line) -> line), e);
        }
    }

    /// Reads what `thin_delta` prints, 0.9 and 1.x, with and without `--verbose`; left is the older device. What is only in the
    /// left one reads as zeros now, so it has changed, too.
    static void thinDelta(InputStream in, ChangeList list) {
        long[] unit = {0};
        boolean[] diff = {false};
        walk(in, (path, name, xml) -> {
            switch (path.size()) {
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
                    expect(CHANGED.contains(name) || name.equals(SAME), xml, "same, different, left_only or right_only");
                    if (CHANGED.contains(name) && xml.getAttributeCount() > 0) {
                        add(list, xml, unit[0]);
                    }
                }
                case 4 -> {
                    expect(name.equals("range"), xml, "range");
                    if (CHANGED.contains(path.get(2))) {
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

    private static void add(ChangeList list, XMLStreamReader xml, long unit) {
        list.add(Math.multiplyExact(number(xml, "begin"), unit), Math.multiplyExact(number(xml, "length"), unit));
    }

    /// Reads what `era_invalidate --written-since` prints. An end is exclusive.
    ///
    /// @param unit bytes of an era block
    static void era(InputStream in, long unit, ChangeList list) {
        walk(in, (path, name, xml) -> {
            if (path.size() == 1) {
                expect(name.equals("blocks"), xml, "blocks");
            } else if (path.size() == 2 && name.equals("block")) {
                list.add(Math.multiplyExact(number(xml, "block"), unit), unit);
            } else {
                expect(path.size() == 2 && name.equals("range"), xml, "block or range");
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
    static void rbd(InputStream in, ChangeList list) {
        long[] extent = {-1, -1};
        walk(in, (path, name, xml) -> {
            switch (path.size()) {
                case 1 -> expect(name.equals("extents"), xml, "extents");
                case 2 -> {
                    expect(name.equals("extent"), xml, "extent");
                    extent[0] = -1;
                    extent[1] = -1;
                }
                case 3 -> {
                    String text = xml.getElementText();
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

    private static void expect(boolean holds, XMLStreamReader xml, String what) {
        if (!holds) {
            throw new IllegalArgumentException("line " + xml.getLocation().getLineNumber() + ": expected " + what + ", found " + xml.getLocalName());
        }
    }

    private static long number(XMLStreamReader xml, String attribute) {
        return Decimal.parse(attribute, xml.getAttributeValue(null, attribute));
    }
}
