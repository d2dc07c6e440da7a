package varve.mounthelper.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.cli.ExitCode;
import varve.archive.cli.Stdio;
import varve.archive.cli.UsageException;
import varve.archive.cli.Verb;
import varve.mounthelper.mount.RuntimeFolder;
import varve.mounthelper.mount.Unmounter;

/// `varve umount`: ends what `varve mount` began.
@Command(
        name = "umount",
        description = {
            "Unmount what varve mount has mounted: nothing is left, neither mount, loop device nor process.",
            "",
            "Also if the process that serves it was killed. Tells of damage that was found meanwhile.",
        })
public final class UmountVerb implements Verb {

    private static final int MOST_SAID = 20; // lines

    @Parameters(arity = "0..*", paramLabel = "DIR", description = "Where it is mounted.")
    private List<Path> folders = List.of();

    @Option(names = "--all", description = "Unmount all that varve mount has mounted, and clean up what crashes have left.")
    private boolean all;

    @Option(names = "--lazy", description = "Also if it is in use: programs that have files open get errors.")
    private boolean lazy;

    @Override
    public Purpose purpose() {
        return Purpose.BRING_BACK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        if (all == !folders.isEmpty()) {
            throw new UsageException("give the folder that is mounted on, or --all");
        }
        Unmounter unmounter = new Unmounter(RuntimeFolder.of(System.getenv()));
        List<IOException> problems = new ArrayList<>();
        List<String> said = new ArrayList<>();
        if (all) {
            said.addAll(unmounter.unmountAll(lazy, problems));
        }
        for (Path folder : folders) {
            try {
                said.addAll(unmounter.unmount(folder, lazy));
            } catch (IOException e) {
                problems.add(e);
            }
        }
        said.stream().limit(MOST_SAID).forEach(stdio.err()::println);
        if (said.size() > MOST_SAID) {
            stdio.say("and " + (said.size() - MOST_SAID) + " lines more");
        }
        if (!problems.isEmpty()) {
            problems.subList(1, problems.size()).forEach(problem -> stdio.say(problem.getMessage()));
            throw problems.getFirst();
        }
        return ExitCode.OK;
    }
}
