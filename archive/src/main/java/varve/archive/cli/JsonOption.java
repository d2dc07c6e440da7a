package varve.archive.cli;

import picocli.CommandLine.Option;

/// Whether a script reads the output: `--json`.
public final class JsonOption {
    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    public boolean asked() {
        return json;
    }
}
