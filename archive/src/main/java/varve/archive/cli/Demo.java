package varve.archive.cli;

import picocli.CommandLine.Command;
import varve.archive.block.RefusedException;

/// `varve demo`: a script that the launcher of a source tree runs (`script/demo`), here for the help page.
@Command(name = "demo", description = "Show all of it on a small image of its own, step by step; needs no root.",
        footer = "Each step is printed as a command that can be repeated by hand. Needs mke2fs and debugfs (e2fsprogs).")
public final class Demo implements Verb {
    @Override
    public Purpose purpose() {
        return Purpose.LEARN;
    }

    @Override
    public ExitCode run(Stdio stdio) throws RefusedException {
        throw new RefusedException("the demo belongs to the source tree: run ./varve demo there");
    }
}
