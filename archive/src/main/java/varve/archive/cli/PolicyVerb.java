package varve.archive.cli;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import varve.archive.chain.Point;
import varve.archive.format.Manifest;
import varve.archive.retention.Retention;
import varve.archive.vault.Volume;
import varve.archive.vault.VolumeSettings;

/// `varve policy`: which points in time of a volume are kept.
@Command(
        name = "policy",
        description = {
            "Show or set which points in time of a volume are kept.",
            "",
            "The --keep options replace the whole policy; nothing goes before varve expire is run. Without a policy every point is kept.",
        })
public final class PolicyVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME", description = "Whose policy.")
    private String volume = "";

    @Mixin
    private VaultOption vault = new VaultOption();

    @Mixin
    private KeepOptions keep = new KeepOptions();

    @Option(names = "--none", description = "Keep every point.")
    private boolean none;

    @Mixin
    private LockWaitOption lockWait = new LockWaitOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.RETAIN;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException, InterruptedException {
        Optional<Retention> policy = keep.policy();
        if (none && policy.isPresent()) {
            throw new UsageException("--none and --keep options exclude each other");
        }
        Volume of = vault.open().volume(volume);
        VolumeSettings settings = none || policy.isPresent()
                ? VolumeSettings.change(of, lockWait.duration(), "varve policy " + volume, (old, history) -> old.with(policy))
                : VolumeSettings.read(of, of.read().history());
        show(stdio, settings, of.read().history().points());
        return ExitCode.OK;
    }

    private void show(Stdio stdio, VolumeSettings settings, List<Point> points) {
        List<Manifest> marked = points.stream()
                .map(Point::manifest)
                .filter(manifest -> settings.protectedPoints().contains(manifest.sequence()) || manifest.label().isPresent())
                .toList();
        if (!json.asked()) {
            stdio.out().println("policy     " + settings.policy().map(policy -> "keep " + policy).orElse("none: every point is kept"));
            for (Manifest manifest : marked) {
                String why = settings.protectedPoints().contains(manifest.sequence()) ? "protected  " : "labelled   ";
                stdio.out().println(why + volume + "@" + Manifest.text(manifest.time())
                        + manifest.label().map(label -> "  " + label).orElse(""));
            }
            return;
        }
        try (JsonText text = new JsonText(stdio.out())) {
            text.object().member("volume", volume).member("generation", settings.generation());
            policy(text, settings.policy().orElse(null));
            text.array("protected");
            marked.stream()
                    .map(Manifest::sequence)
                    .filter(settings.protectedPoints()::contains)
                    .forEach(text::element);
        }
    }

    /// Writes a policy as a member.
    static void policy(JsonText text, @Nullable Retention policy) {
        if (policy == null) {
            text.member("policy", null);
            return;
        }
        text.object("policy")
                .member("keepLast", policy.last())
                .member("keepWithin", policy.within().map(Object::toString).orElse(null))
                .member("keepDaily", policy.daily())
                .member("keepWeekly", policy.weekly())
                .member("keepMonthly", policy.monthly())
                .member("keepYearly", policy.yearly())
                .member("timeZone", policy.zone().getId())
                .end();
    }
}
