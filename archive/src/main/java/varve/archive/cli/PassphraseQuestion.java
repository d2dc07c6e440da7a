package varve.archive.cli;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import varve.archive.seal.KeyFiles;
import varve.archive.seal.Passphrase;
import varve.archive.seal.WrongKeyException;

/// Asks for a passphrase at the terminal, wherever stdin and stdout go, and does not show it. A file with it goes before.
///
/// @param file whose first line it is
record PassphraseQuestion(Optional<Path> file) implements KeyFiles.Asking {

    private static final Path TERMINAL = Path.of("/dev/tty");

    @Override
    public Optional<Passphrase> ask(String what, boolean anew) throws IOException {
        if (file.isPresent()) {
            String line = Files.readString(file.get()).lines().findFirst().orElse("");
            return Optional.of(passphrase(line));
        }
        try (InputStream in = new FileInputStream(TERMINAL.toFile());
                OutputStream out = new FileOutputStream(TERMINAL.toFile())) {
            return Optional.of(passphrase(hidden(what, anew, in, out)));
        } catch (WrongKeyException e) {
            throw e;
        } catch (IOException e) {
            return Optional.empty(); // no terminal
        }
    }

    /// what is typed is not shown, but what comes after it is, also if somebody types Ctrl-C
    private static String hidden(String what, boolean anew, InputStream in, OutputStream out) throws IOException {
        Thread show = new Thread(PassphraseQuestion::show);
        Runtime.getRuntime().addShutdownHook(show);
        stty("-echo");
        try {
            String said = answer("Passphrase for " + what + ": ", in, out);
            if (anew && !said.isEmpty() && !said.equals(answer("The same again: ", in, out))) {
                throw new WrongKeyException("the two passphrases differ");
            }
            return said;
        } finally {
            stty("echo");
            try {
                Runtime.getRuntime().removeShutdownHook(show);
            } catch (IllegalStateException e) {
                // it is running
            }
        }
    }

    private static void show() {
        try {
            stty("echo");
        } catch (IOException e) {
            // the terminal is gone
        }
    }

    private static Passphrase passphrase(String said) throws WrongKeyException {
        if (said.isEmpty()) {
            throw new WrongKeyException("the passphrase is empty");
        }
        return new Passphrase(said);
    }

    private static String answer(String question, InputStream in, OutputStream out) throws IOException {
        out.write(Printable.line(question).getBytes(StandardCharsets.UTF_8));
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int c = in.read();
        for (; c >= 0 && c != '\n'; c = in.read()) {
            line.write(c);
        }
        out.write('\n');
        if (c < 0) {
            throw new WrongKeyException("no passphrase was given");
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private static void stty(String how) throws IOException {
        try {
            new ProcessBuilder("stty", how)
                    .redirectInput(TERMINAL.toFile())
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
