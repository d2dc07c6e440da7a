package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class ProgressTest {
    private static final long GIB = 1L << 30;

    private final Captured captured = new Captured();

    @Test
    void plainLinesComeEveryTenPercent() {
        Progress progress = Progress.of(captured.stdio(0), "archive tools", 10 * GIB);
        for (int i = 0; i < 10; i++) {
            captured.pass(2);
            progress.add(GIB);
        }
        progress.finish();
        String[] lines = captured.err().split("\n");
        assertEquals(11, lines.length);
        assertEquals("varve: archive tools: 10 %, 1.0 GiB of 10.0 GiB, 512.0 MiB/s, 18 s left", lines[0]);
        assertEquals("varve: archive tools: 10.0 GiB in 20 s, 512.0 MiB/s", lines[10]);
    }

    @Test
    void plainLinesComeEveryTenSeconds() {
        Progress progress = Progress.of(captured.stdio(0), "archive tools", 1000 * GIB);
        for (int i = 0; i < 21; i++) {
            captured.pass(1);
            progress.add(GIB / 8);
        }
        assertEquals("""
                varve: archive tools: 0 %, 1.3 GiB of 1000.0 GiB, 128.0 MiB/s, 2 h 13 min left
                varve: archive tools: 0 %, 2.5 GiB of 1000.0 GiB, 128.0 MiB/s, 2 h 13 min left
                """, captured.err());
    }

    @Test
    void aTerminalHasOneLine() {
        Progress progress = Progress.of(captured.stdio(40), "archive tools", 2 * GIB);
        captured.pass(0.1);
        progress.add(1);
        captured.pass(0.9);
        progress.add(GIB - 1);
        captured.pass(1);
        progress.add(GIB);
        progress.finish();
        assertEquals("\r\033[Karchive tools: 50 %, 1.0 GiB of 2.0 GiB"
                + "\r\033[Karchive tools: 100 %, 2.0 GiB of 2.0 Gi"
                + "\r\033[Karchive tools: 2.0 GiB in 2 s, 1.0 GiB/\n", captured.err());
    }

    @Test
    void aFailureLeavesTheTerminalsLineEmpty() {
        try (Progress progress = Progress.of(captured.stdio(80), "archive tools", -1)) {
            captured.pass(1);
            progress.add(GIB);
        }
        assertEquals("\r\033[Karchive tools: 1.0 GiB, 1.0 GiB/s\r\033[K", captured.err());
    }

    @Test
    void aMomentIsNotWorthALine() {
        Progress progress = Progress.of(captured.stdio(0), "archive tools", GIB);
        captured.pass(0.5);
        progress.add(GIB);
        progress.finish();
        assertEquals("", captured.err());
    }

    @Test
    void silenceIsSilent() {
        Progress.silent().add(GIB);
        Progress.silent().finish();
    }
}
