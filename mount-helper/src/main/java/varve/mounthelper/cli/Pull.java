package varve.mounthelper.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import varve.archive.Branch;
import varve.archive.cli.Size;
import varve.archive.cli.Stdio;
import varve.archive.format.Manifest;
import varve.archive.vault.Receipt;
import varve.archive.vault.Vault;
import varve.mounthelper.RestorePlan;
import varve.mounthelper.Restoration;

/// A restore in the background, while its point in time is served; and what is said of it.
///
/// Without an overlay the target gets its name as soon as it is proved. With one it gets it at the very end: what clients have written is
/// in the overlay until then, where crashes do it no harm, and is applied to the target when nobody writes any more.
final class Pull implements AutoCloseable {

    private static final int MOST_NAMED = 100;

    private final Restoration restoration;
    private final Report report;
    private final List<RestoreTask> tasks;
    private final boolean written;
    private final Stdio stdio;
    private final Thread thread = Thread.ofPlatform().name("varve-pull").daemon().unstarted(this::run);
    private volatile Restoration.@Nullable Outcome outcome;
    private volatile @Nullable IOException failure;

    /// @param written whether there is an overlay
    Pull(Restoration restoration, List<Vault> places, boolean written, Stdio stdio) throws IOException {
        RestorePlan plan = restoration.plan();
        this.restoration = restoration;
        this.report = new Report(plan);
        this.tasks = RestoreTask.of(places, plan, name(plan) + " to " + plan.target());
        this.written = written;
        this.stdio = stdio;
    }

    private static String name(RestorePlan plan) {
        return plan.manifest().volume() + "@" + Manifest.text(plan.manifest().time());
    }

    void start() {
        report.plan(stdio.err());
        thread.start();
    }

    private void run() {
        try {
            Restoration.Outcome brought = restoration.bring(bytes -> {});
            if (!written) {
                restoration.commit();
                report.outcome(stdio.out(), false, brought);
                say(restoration.plan().target() + " can be switched to: stop what uses the export, end this server, use the target");
            } else {
                say(restoration.plan().target() + ": all of " + name(restoration.plan()) + " is there and proved, root " + brought.root()
                        + "; stop what uses the export and end this server: then what was written to the overlay is applied to it");
            }
            stdio.out().flush();
            outcome = brought;
            List<Receipt.Proof> proofs = restoration.proofs();
            tasks.forEach(task -> task.done(proofs, stdio));
        } catch (InterruptedIOException e) {
            // it was stopped
        } catch (IOException e) {
            fail(e);
        } catch (RuntimeException | Error e) {
            fail(new IOException(e));
            throw e;
        }
    }

    private void fail(IOException e) {
        failure = e;
        tasks.forEach(task -> task.failed(e, stdio));
        say("the restore has failed, clients are served from the archive as before: " + e.getMessage());
    }

    /// Ends the restore when nobody is served any more.
    ///
    /// @param wait whether to wait for the restore if it is not done
    /// @param overlay what clients have written
    /// @throws IOException why the target is not complete
    void end(boolean wait, Optional<? extends Branch> overlay) throws IOException {
        if (!wait) {
            restoration.stop();
        }
        join();
        Restoration.Outcome brought = outcome;
        if (failure != null) {
            report.failure(stdio.err(), failure);
            throw failure;
        }
        if (brought == null) {
            report.interrupted(stdio.err());
        } else if (overlay.isPresent()) {
            apply(overlay.get(), brought);
        }
    }

    private void apply(Branch overlay, Restoration.Outcome brought) throws IOException {
        long[] sum = new long[2];
        restoration.apply(overlay, (offset, size) -> {
            if (sum[0]++ < MOST_NAMED) {
                stdio.err().println("  written  " + size + " bytes at " + offset);
            }
            sum[1] += size;
        });
        if (sum[0] > MOST_NAMED) {
            stdio.err().println("  written  and in " + (sum[0] - MOST_NAMED) + " more places");
        }
        restoration.commit();
        report.outcome(stdio.out(), false, brought);
        stdio.out().println("then applied what was written since: " + Size.format(sum[1]) + " in " + sum[0] + (sum[0] == 1 ? " place" : " places")
                + ", read back; so its hash is another now. The overlay is not needed any more: varve overlay discard");
    }

    private void say(String line) {
        stdio.err().println("varve: " + line);
    }

    private void join() throws InterruptedIOException {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }

    /// Stops it if it is still going on.
    @Override
    public void close() throws IOException {
        restoration.stop();
        join();
    }
}
