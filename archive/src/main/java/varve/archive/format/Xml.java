package varve.archive.format;

import com.fasterxml.aalto.stax.InputFactoryImpl;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/// An XML document of another program, read as a stream, however long, in bounded memory. One that is cut off is none; document types are
/// refused, and with them entities.
public final class Xml {

    private static final InputFactoryImpl FACTORY = new InputFactoryImpl();

    /// Bytes from one start or end of an element to the next, and those of its text.
    private static final int LONGEST = 1 << 20;

    private static final int DEEPEST = 100;

    private final Bounded in;
    private final XMLStreamReader reader;
    private int depth;
    private boolean start;

    static {
        FACTORY.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        FACTORY.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    }

    /// @throws IllegalArgumentException if it does not begin like a document
    public Xml(InputStream in) throws IOException {
        this.in = new Bounded(in);
        try {
            this.reader = FACTORY.createXMLStreamReader(this.in);
        } catch (XMLStreamException e) {
            throw none(e);
        }
    }

    /// Goes to the next start or end of an element.
    ///
    /// @return whether there is one; if not, the document is whole
    /// @throws IllegalArgumentException if it is no XML, cut off, or beyond what is read here
    public boolean next() throws IOException {
        in.left = LONGEST;
        if (!start && depth > 0) {
            depth--;
        }
        try {
            while (reader.hasNext()) {
                switch (reader.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        start = true;
                        require(++depth <= DEEPEST, "elements lie in each other more than " + DEEPEST + " deep");
                        return true;
                    }
                    case XMLStreamConstants.END_ELEMENT -> {
                        start = false;
                        return true;
                    }
                    case XMLStreamConstants.DTD, XMLStreamConstants.ENTITY_REFERENCE -> require(false, "it has a document type or an entity");
                    default -> {}
                }
            }
            return false;
        } catch (XMLStreamException e) {
            throw none(e);
        }
    }

    /// {@return whether it is at a start of an element, not at an end}
    public boolean start() {
        return start;
    }

    /// {@return how many elements it is in, this one included}
    public int depth() {
        return depth;
    }

    /// {@return name of the element, without prefix}
    public String name() {
        return reader.getLocalName();
    }

    /// {@return whether the element has attributes}
    public boolean hasAttributes() {
        return reader.getAttributeCount() > 0;
    }

    /// {@return value of an attribute of an element that starts here, or null if it has none of this name}
    public @Nullable String attribute(String name) {
        return reader.getAttributeValue(null, name);
    }

    /// Reads the text of an element that starts here, which has none in it, and goes to its end.
    public String text() throws IOException {
        try {
            String text = reader.getElementText();
            start = false;
            return text;
        } catch (XMLStreamException e) {
            throw none(e);
        }
    }

    /// {@return the line that it is at, from 1}
    public int line() {
        return reader.getLocation().getLineNumber();
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw none(line(), otherwise);
        }
    }

    private static IllegalArgumentException none(XMLStreamException e) throws IOException {
        if (e.getNestedException() instanceof IOException cause) {
            throw cause;
        }
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse(""); // then it says where
        return none(e.getLocation() == null ? 1 : e.getLocation().getLineNumber(), message);
    }

    private static IllegalArgumentException none(int line, String why) {
        return new IllegalArgumentException("no whole XML document: line " + line + ": " + why);
    }

    /// A stream that gives up when one element takes too much of it.
    private static final class Bounded extends FilterInputStream {
        private long left = LONGEST;

        Bounded(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (left <= 0) {
                throw new IllegalArgumentException("no whole XML document: more than " + LONGEST + " bytes without start or end of an element");
            }
            int count = super.read(bytes, offset, length);
            left -= Math.max(0, count);
            return count;
        }
    }
}
