package varve.verify.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import varve.archive.format.Xml;

/// Reads the XML that `md5deep` and `hashdeep` write with `-d`.
final class Dfxml {

    private final Consumer<Listed> taker;
    private String name = "";
    private OptionalLong from = OptionalLong.empty();
    private OptionalLong length = OptionalLong.empty();
    private final Map<Algorithm, String> ofPiece = new EnumMap<>(Algorithm.class);
    private final Map<Algorithm, String> ofFile = new EnumMap<>(Algorithm.class);

    private Dfxml(Consumer<Listed> taker) {
        this.taker = taker;
    }

    static boolean begins(String text) {
        return text.startsWith("<?xml") && text.contains("<dfxml");
    }

    static void read(Path path, Consumer<Listed> taker) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            Dfxml document = new Dfxml(taker);
            Xml xml = new Xml(in);
            while (xml.next()) {
                if (xml.start()) {
                    document.begin(xml);
                } else {
                    document.end(xml.name());
                }
            }
        } catch (IllegalArgumentException e) {
            throw new DamagedListException(path + ": " + e.getMessage());
        }
    }

    private void begin(Xml xml) throws IOException {
        switch (xml.name()) {
            case "fileobject" -> {
                name = "";
                ofFile.clear();
            }
            case "filename" -> name = xml.text();
            case "byte_run" -> {
                from = number(xml.attribute("file_offset"));
                length = number(xml.attribute("len"));
                ofPiece.clear();
            }
            case "hashdigest" -> {
                String type = xml.attribute("type");
                String digest = xml.text().strip().toLowerCase(Locale.ROOT);
                Map<Algorithm, String> into = from.isPresent() ? ofPiece : ofFile;
                Algorithm.named(type == null ? "" : type).ifPresent(algorithm -> into.put(algorithm, digest));
            }
            default -> {}
        }
    }

    private void end(String element) {
        if (element.equals("byte_run")) {
            if (from.isPresent() && length.orElse(0) > 0 && !ofPiece.isEmpty()) {
                taker.accept(new Listed(name, from, OptionalLong.of(Math.addExact(from.getAsLong(), length.getAsLong())), length, Map.copyOf(ofPiece)));
            }
            from = OptionalLong.empty();
        } else if (element.equals("fileobject") && !ofFile.isEmpty()) {
            taker.accept(new Listed(name, OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), Map.copyOf(ofFile)));
        }
    }

    private static OptionalLong number(@Nullable String text) {
        long value = Long.parseLong(text == null ? "" : text);
        if (value < 0) {
            throw new NumberFormatException("a negative number: " + text);
        }
        return OptionalLong.of(value);
    }
}
