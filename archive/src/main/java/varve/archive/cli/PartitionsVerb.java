package varve.archive.cli;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import varve.archive.chain.Chain;
import varve.archive.chain.ChainImage;
import varve.archive.format.Manifest;
import varve.archive.partition.Layout;
import varve.archive.partition.Partition;
import varve.archive.partition.Signature;
import varve.archive.vault.FoundPoint;
import varve.archive.vault.PointName;
import varve.archive.vault.Vault;

/// `varve partitions`: what lies where on a device, as it was.
@Command(name = "partitions", description = "Show the partitions of a point in time, and what file systems they hold.")
public final class PartitionsVerb implements Verb {

    @Parameters(index = "0", paramLabel = "VOLUME[@POINT]", description = "Where to look: tools@latest, tools@2026-11-20, tools@-1, ...")
    private String point = "";

    @Mixin
    private VaultsOption vaults = new VaultsOption();

    @Mixin
    private KeysOption keys = new KeysOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Override
    public Purpose purpose() {
        return Purpose.LOOK;
    }

    @Override
    public ExitCode run(Stdio stdio) throws IOException {
        PointName name = PointName.parse(point);
        List<Vault> places = keys.open(vaults.open(name, stdio, stdio.warnings()));
        FoundPoint found = FoundPoint.find(places, name);
        found.checkMeant(name);
        Manifest manifest = found.point().manifest();
        try (ChainImage image = new ChainImage(Chain.open(found.path()))) {
            Layout layout = Layout.of(image);
            if (json.asked()) {
                json(stdio, manifest, layout);
            } else {
                text(stdio, layout);
            }
        }
        return ExitCode.OK;
    }

    private static void text(Stdio stdio, Layout layout) {
        Table table = new Table("#", ">OFFSET", ">SIZE", "TYPE", "HOLDS", "LABEL", "UUID", "NAME");
        for (Layout.Region region : layout.regions()) {
            table.row(
                    region.partition().map(partition -> Integer.toString(partition.number())).orElse("-"),
                    Long.toString(region.offset()),
                    Size.format(region.size()),
                    region.partition().map(Partition::type).orElse("no table"),
                    region.content(),
                    joined(region.signatures().stream().map(Signature::label)),
                    joined(region.signatures().stream().map(Signature::uuid)),
                    region.partition().map(Partition::name).orElse(""));
        }
        table.print(stdio.out(), "");
    }

    private static String joined(Stream<String> texts) {
        return texts.filter(text -> !text.isEmpty()).collect(Collectors.joining(" + "));
    }

    private static void json(Stdio stdio, Manifest manifest, Layout layout) {
        try (JsonText text = new JsonText(stdio.out())) {
            text.object()
                    .member("volume", manifest.volume())
                    .member("time", Manifest.text(manifest.time()))
                    .member("root", manifest.state().root().toString())
                    .member("size", manifest.state().size())
                    .member("table", layout.scheme().word())
                    .array("regions");
            for (Layout.Region region : layout.regions()) {
                text.object();
                region.partition().ifPresent(partition -> text
                        .member("partition", partition.number())
                        .member("type", partition.type())
                        .member("name", partition.name())
                        .member("id", partition.id()));
                text.member("offset", region.offset()).member("size", region.size()).array("holds");
                for (Signature signature : region.signatures()) {
                    text.object()
                            .member("type", signature.kind().word())
                            .member("label", signature.label())
                            .member("uuid", signature.uuid())
                            .end();
                }
                text.end().end();
            }
        }
    }
}
