package varve.archive.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import varve.archive.format.Manifest;
import varve.archive.vault.Catalogue;
import varve.archive.vault.Inventory;
import varve.archive.vault.Standing;
import varve.archive.vault.Vault;

/// What is known of a vault, in words and as JSON.
///
/// @param stocks what it holds: as it is, if it is at hand, else as it was last seen
record VaultText(Catalogue catalogue, UUID vault, List<Inventory.Stock> stocks) {

    static VaultText of(Catalogue catalogue, UUID vault) throws IOException {
        Set<String> volumes = new TreeSet<>();
        Optional<Vault> here = catalogue.atHand(vault);
        volumes.addAll(here.isPresent() ? here.get().volumes()
                : catalogue.inventory(vault).stream().flatMap(inventory -> inventory.stocks().stream()).map(Inventory.Stock::volume).toList());
        List<Inventory.Stock> stocks = new ArrayList<>();
        for (String volume : volumes) {
            Inventory.Stock stock = catalogue.stocks(volume).get(vault);
            if (stock != null && !stock.archives().isEmpty()) {
                stocks.add(stock);
            }
        }
        return new VaultText(catalogue, vault, stocks);
    }

    int files() {
        return stocks.stream().mapToInt(stock -> stock.archives().size()).sum();
    }

    long size() {
        return stocks.stream().mapToLong(VaultText::size).sum();
    }

    private static long size(Inventory.Stock stock) {
        return stock.archives().stream().mapToLong(Inventory.Held::fileSize).sum();
    }

    /// the oldest of the last proofs; nothing if a file was never proved
    private static Optional<Instant> proved(Inventory.Stock stock) {
        List<Instant> times = stock.archives().stream().flatMap(held -> held.proof().stream()).map(Inventory.Proof::time).toList();
        return times.size() < stock.archives().size() ? Optional.empty() : times.stream().min(Instant::compareTo);
    }

    private static long unproved(Inventory.Stock stock) {
        return stock.archives().stream().filter(held -> !held.proved()).count();
    }

    void print(PrintStream out) {
        Standing standing = catalogue.standing(vault);
        out.println("vault    " + catalogue.name(vault) + "  (" + vault + ")");
        out.println("state    " + standing.state().word() + (catalogue.keeper(vault) ? "; others rely on it without seeing it" : ""));
        standing.place().ifPresent(place -> out.println("place    " + place));
        out.println("at hand  " + catalogue.atHand(vault).map(here -> here.folder().toString()).orElse("no")
                + (catalogue.atHand(vault).isPresent() ? "" : catalogue.seen(vault).map(seen -> ", last seen " + seen.seen().map(Manifest::text).orElse("")
                        + seen.folder().map(folder -> " in " + folder).orElse("")).orElse(", and never seen")));
        Table table = new Table("VOLUME", ">FILES", ">SIZE", ">NOT PROVED", "ALL PROVED SINCE");
        for (Inventory.Stock stock : stocks) {
            table.row(stock.volume(), String.valueOf(stock.archives().size()), Size.format(size(stock)), String.valueOf(unproved(stock)),
                    proved(stock).map(Manifest::text).orElse("never"));
        }
        table.print(out, "holds    no data files, as far as is known");
    }

    static void json(JsonText text, Catalogue catalogue, UUID vault) throws IOException {
        Standing standing = catalogue.standing(vault);
        text.member("vaultId", vault.toString())
                .member("label", standing.label().orElse(null))
                .member("place", standing.place().orElse(null))
                .member("state", standing.state().word())
                .member("keeper", catalogue.keeper(vault))
                .member("atHand", catalogue.atHand(vault).isPresent())
                .member("folder", catalogue.atHand(vault).map(here -> here.folder().toString()).orElse(null))
                .member("lastSeen", catalogue.seen(vault).flatMap(Inventory.Other::seen).map(Manifest::text).orElse(null))
                .member("lastFolder", catalogue.seen(vault).flatMap(Inventory.Other::folder).orElse(null))
                .array("volumes");
        for (Inventory.Stock stock : of(catalogue, vault).stocks) {
            text.object()
                    .member("volume", stock.volume())
                    .member("files", stock.archives().size())
                    .member("size", size(stock))
                    .member("notProved", unproved(stock))
                    .member("provedSince", proved(stock).map(Manifest::text).orElse(null))
                    .end();
        }
        text.end();
    }
}
