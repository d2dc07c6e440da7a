package varve.archive.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import varve.archive.block.RefusedException;
import varve.archive.file.StoredArchive;
import varve.archive.format.Manifest;
import varve.archive.sign.UntrustedException;

/// What is known of all vaults, of those at hand and of those on a shelf: who holds which data files, when each was last proved,
/// how many copies there are.
///
/// Of a vault at hand its folder speaks, of another the inventory that was last seen. A vault at hand learns from the others, and
/// they from it, when they are [exchanged][#exchange].
///
/// **Who may rely on whom.** What is known of a vault that is not at hand may be out of date: it can have removed what it held,
/// perhaps because it believed that we hold it. So a vault that was ever `away` is a *keeper*: it removes a data file only if
/// another keeper, at hand, holds it as well; then as long as one keeper has ever held a file, some keeper does. Other vaults
/// may rely on keepers wherever they are, and on the rest when they are at hand ([#reliable]).
///
/// A snapshot: what changes later shows in a new one.
public final class Catalogue {

    private static final Duration WAIT = Duration.ofMinutes(1);

    private final List<Vault> vaults;
    private final Inventories known;
    private final Map<UUID, Long> generations; // the highest that were seen
    private final Set<UUID> behind; // vaults at hand that know less of themselves than others do, or are disputed
    private final Map<UUID, RefusedException> disputes;
    private final Map<UUID, Standing> said; // just now
    private final Map<String, Map<UUID, Inventory.Stock>> live = new HashMap<>();

    private Catalogue(List<Vault> vaults, Inventories known, Map<UUID, Long> generations, Set<UUID> behind,
            Map<UUID, RefusedException> disputes, Map<UUID, Standing> said) {
        this.vaults = vaults;
        this.known = known;
        this.generations = generations;
        this.behind = behind;
        this.disputes = disputes;
        this.said = said;
    }

    /// Reads what vaults know.
    ///
    /// @param vaults those at hand
    /// @param warnings get what cannot be used
    public static Catalogue open(List<Vault> vaults, Consumer<String> warnings) throws IOException {
        Inventories known = Inventories.of(List.of());
        Map<UUID, Long> generations = new HashMap<>();
        Map<UUID, Optional<Inventory>> own = new HashMap<>();
        Map<UUID, RefusedException> disputes = new HashMap<>();
        for (Vault vault : vaults) {
            Inventories there = Inventories.read(vault, warnings);
            own.put(vault.id(), there.of(vault.id()));
            for (Inventory inventory : there.of().values()) {
                generations.merge(inventory.vault(), inventory.generation(), Math::max);
                try {
                    known = known.merge(Inventories.of(List.of(inventory)));
                } catch (RefusedException e) {
                    disputes.put(inventory.vault(), e);
                    warnings.accept(e.getMessage());
                }
            }
        }
        for (UUID vault : disputes.keySet()) {
            known = known.without(vault); // what it holds is not known, so it counts as nothing
        }
        Set<UUID> behind = new HashSet<>(disputes.keySet());
        for (Vault vault : vaults) {
            if (!own.get(vault.id()).equals(known.of(vault.id()))) {
                behind.add(vault.id());
            }
        }
        return new Catalogue(List.copyOf(vaults), known, Map.copyOf(generations), Set.copyOf(behind), Map.copyOf(disputes), Map.of());
    }

    /// Reads what vaults know, and takes in those they know of that are where they were last seen.
    public static Catalogue around(List<Vault> vaults, Consumer<String> warnings) throws IOException {
        Catalogue catalogue = open(vaults, warnings);
        List<Vault> near = new ArrayList<>(vaults);
        for (UUID id : catalogue.all()) {
            Optional<Path> folder = catalogue.seen(id).flatMap(Inventory.Other::folder).map(Path::of);
            if (catalogue.atHand(id).isEmpty() && folder.isPresent()) {
                try {
                    near.addAll(Optional.of(Vault.open(folder.get()).with(vaults.getFirst().keys())).filter(vault -> vault.id().equals(id)).stream().toList());
                } catch (IOException e) {
                    // it is not there, or cannot be used
                }
            }
        }
        return near.size() == vaults.size() ? catalogue : open(near, warnings);
    }

    /// @throws RefusedException if there are two inventories of one generation of a vault that is not at hand
    void requireUndisputed() throws RefusedException {
        for (Map.Entry<UUID, RefusedException> dispute : disputes.entrySet()) {
            if (atHand(dispute.getKey()).isEmpty()) {
                throw dispute.getValue();
            }
        }
    }

    // ---- vaults

    /// {@return the vaults at hand, in the order in which they were given}
    public List<Vault> atHand() {
        return vaults;
    }

    public Optional<Vault> atHand(UUID vault) {
        return vaults.stream().filter(here -> here.id().equals(vault)).findFirst();
    }

    /// {@return all vaults of which anything is known, those at hand first}
    public List<UUID> all() {
        List<UUID> all = new ArrayList<>(vaults.stream().map(Vault::id).toList());
        known.vaults().stream().filter(vault -> !all.contains(vault)).forEach(all::add);
        return all;
    }

    /// {@return what holds of a vault}
    public Standing standing(UUID vault) {
        Standing known = Standing.newer(this.known.standing(vault), said.getOrDefault(vault, Standing.NEW));
        return atHand(vault).map(here -> Standing.newer(here.standing(), known)).orElse(known);
    }

    /// {@return what people call a vault}
    public String name(UUID vault) {
        return Vault.name(vault, standing(vault));
    }

    /// {@return what people call a vault, and where they keep it}
    public String describe(UUID vault) {
        return name(vault) + standing(vault).place().map(place -> " (" + place + ")").orElse("");
    }

    /// {@return the inventory that was last seen of a vault}
    public Optional<Inventory> inventory(UUID vault) {
        return known.of(vault);
    }

    /// {@return where and when a vault was last seen together with one of those at hand}
    public Optional<Inventory.Other> seen(UUID vault) {
        return vaults.stream()
                .flatMap(here -> known.of(here.id()).stream())
                .flatMap(inventory -> inventory.others().stream())
                .filter(other -> other.vault().equals(vault) && other.seen().isPresent())
                .max(Comparator.comparing(other -> other.seen().orElseThrow()));
    }

    /// {@return the vault that people call so: by its label, or by the first digits of its id}
    /// @throws NotFoundException if none is, or several are
    public UUID find(String name) throws NotFoundException {
        List<UUID> found = all().stream().filter(vault -> standing(vault).label().equals(Optional.of(name))).toList();
        if (found.isEmpty() && name.matches("[0-9a-f-]{4,36}")) {
            found = all().stream().filter(vault -> vault.toString().startsWith(name)).toList();
        }
        if (found.size() != 1) {
            throw new NotFoundException("vault \"" + name + "\": " + (found.isEmpty() ? "not known; varve vault list shows those that are"
                    : "several are called so; give the first digits of the id"));
        }
        return found.getFirst();
    }

    // ---- what they hold

    /// {@return what each vault holds of a volume}
    public Map<UUID, Inventory.Stock> stocks(String volume) throws IOException {
        Map<UUID, Inventory.Stock> stocks = new LinkedHashMap<>(live(volume));
        stocks.putAll(stocksAway(volume));
        return stocks;
    }

    /// {@return what vaults that are not at hand hold of a volume, as far as is known} No folder is looked at.
    public Map<UUID, Inventory.Stock> stocksAway(String volume) {
        Map<UUID, Inventory.Stock> stocks = new LinkedHashMap<>();
        for (UUID vault : known.of().keySet()) {
            if (atHand(vault).isEmpty()) {
                known.of(vault).flatMap(inventory -> inventory.stock(volume)).ifPresent(stock -> stocks.put(vault, stock));
            }
        }
        return stocks;
    }

    /// Takes what the vaults at hand hold of a volume, as it was just found, so that their folders are not looked at again.
    public void take(String volume, Map<UUID, Inventory.Stock> stocks) {
        live.put(volume, stocks);
    }

    private Map<UUID, Inventory.Stock> live(String volume) throws IOException {
        Map<UUID, Inventory.Stock> stocks = live.get(volume);
        if (stocks == null) {
            stocks = new LinkedHashMap<>();
            for (Vault vault : vaults) {
                Optional<Inventory.Stock> stock = Stocktaking.stock(vault, vault.volume(volume));
                if (stock.isPresent()) {
                    stocks.put(vault.id(), stock.get());
                }
            }
            live.put(volume, stocks);
        }
        return stocks;
    }

    /// {@return all copies of a volume that are known, of vaults whose standing lets them count}
    /// @param archives all that have a manifest
    public Copies copies(String volume, Collection<StoredArchive> archives) throws IOException {
        return copies(volume, archives, vault -> true);
    }

    /// {@return the copies that a vault may rely on when it removes something, its own included}
    /// @param archives all that have a manifest
    public Copies reliable(Vault remover, String volume, Collection<StoredArchive> archives) throws IOException {
        return copies(volume, archives, vault -> vault.equals(remover.id())
                || (remover.keeper() ? atHand(vault).isPresent() && keeper(vault) : atHand(vault).isPresent() || keeper(vault)));
    }

    /// {@return whether a vault removes nothing on the word of one that is not at hand}
    public boolean keeper(UUID vault) {
        return atHand(vault).map(Vault::keeper).or(() -> known.of(vault).map(Inventory::keeper)).orElse(false);
    }

    private Copies copies(String volume, Collection<StoredArchive> archives, Predicate<UUID> relied) throws IOException {
        Set<UUID> ids = new HashSet<>(archives.stream().map(archive -> archive.manifest().volumeId()).toList());
        Map<Inventory.DataFile, Set<UUID>> holders = new HashMap<>();
        stocks(volume).forEach((vault, stock) -> {
            if (standing(vault).counts() && relied.test(vault) && ids.contains(stock.volumeId())) {
                stock.archives().stream()
                        .filter(Inventory.Held::proved)
                        .forEach(held -> holders.computeIfAbsent(held.file(), file -> new HashSet<>()).add(vault));
            }
        });
        return new Copies(archives, holders);
    }

    /// Compares the signed head of a volume in a vault at hand with the newest that was ever seen there, by any of them.
    ///
    /// @return what is wrong with it, if it is an older one
    public Optional<UntrustedException> setBack(UUID vault, String volume) throws IOException {
        Optional<Inventory.SeenHead> seen = known.of(vault).flatMap(inventory -> inventory.stock(volume)).flatMap(Inventory.Stock::head);
        Optional<Vault> here = atHand(vault);
        if (seen.isEmpty() || here.isEmpty()) {
            return Optional.empty();
        }
        Volume folder = here.get().volume(volume);
        Optional<Head> head = Signatures.of(folder).head();
        String expected = "head " + seen.get().generation() + " of " + Manifest.text(seen.get().written()) + " was seen there";
        if (head.isEmpty()) {
            return Optional.of(new UntrustedException(folder.folder().resolve(Head.FILE) + ": no head that is believed, although " + expected));
        }
        boolean same = head.get().generation() == seen.get().generation() && head.get().hash().equals(seen.get().hash());
        return head.get().generation() > seen.get().generation() || same ? Optional.empty() : Optional.of(new UntrustedException(
                folder.folder() + ": vault " + name(vault) + " has head " + head.get().generation() + " of " + Manifest.text(head.get().written()) + ", but "
                        + expected + ": it was set back, or is an old copy of the disk"));
    }

    // ---- what they tell each other

    /// Says something of a vault: in its marker if it is at hand, and to the other vaults at hand.
    public Catalogue say(UUID vault, Standing standing, InstantSource clock, Consumer<String> warnings)
            throws IOException, InterruptedException {
        return exchange(List.of(), Map.of(vault, standing), clock, warnings);
    }

    /// Lets the vaults at hand learn from each other: each gets the newest inventories of all, its own taken anew, and the newest
    /// that was said of it into its marker. A vault that cannot be written to tells what it has told before.
    ///
    /// @param volumes whose folders are looked at; what was known of others stays
    /// @return what is known then
    public Catalogue exchange(Collection<String> volumes, InstantSource clock, Consumer<String> warnings)
            throws IOException, InterruptedException {
        return exchange(volumes, Map.of(), clock, warnings);
    }

    private Catalogue exchange(
            Collection<String> volumes, Map<UUID, Standing> said, InstantSource clock, Consumer<String> warnings)
            throws IOException, InterruptedException {
        List<Vault> writable = new ArrayList<>();
        for (Vault vault : vaults) {
            if (Files.isWritable(vault.folder())) {
                writable.add(vault);
            } else {
                warnings.accept(vault.folder() + ": read-only, so the catalogue of vault " + vault.name() + " stays as it is");
            }
        }
        Deque<VolumeLock> locks = new ArrayDeque<>();
        try {
            for (Vault vault : writable.stream().sorted(Comparator.comparing(vault -> vault.id().toString())).toList()) {
                locks.push(VolumeLock.acquire(vault.catalogue(), WAIT, "varve catalogue"));
            }
            return locked(volumes, said, writable, clock.instant().truncatedTo(ChronoUnit.MILLIS), warnings);
        } finally {
            for (VolumeLock lock : locks) {
                lock.close();
            }
        }
    }

    private Catalogue locked(
            Collection<String> volumes, Map<UUID, Standing> said, List<Vault> writable, Instant now, Consumer<String> warnings)
            throws IOException {
        Catalogue before = open(vaults, warnings).hearing(said);
        List<Vault> after = new ArrayList<>();
        for (Vault vault : vaults) {
            vault.check();
            Standing standing = before.standing(vault.id());
            after.add(writable.contains(vault) && !standing.equals(vault.standing()) ? vault.say(standing) : vault);
        }
        Inventories told = before.known;
        for (Vault vault : after) {
            if (writable.stream().anyMatch(here -> here.id().equals(vault.id()))) {
                told = told.with(before.inventory(vault, after, volumes, now, warnings));
            }
        }
        for (Vault vault : after) {
            if (writable.stream().anyMatch(here -> here.id().equals(vault.id()))) {
                told.write(vault);
                RescueKit.renew(vault.folder());
            }
        }
        return open(after, warnings);
    }

    private Catalogue hearing(Map<UUID, Standing> more) {
        return new Catalogue(vaults, known, generations, behind, disputes, more);
    }

    /// {@return the inventory of a vault as it is now}
    private Inventory inventory(
            Vault vault, List<Vault> together, Collection<String> volumes, Instant now, Consumer<String> warnings) throws IOException {
        Optional<Inventory> last = known.of(vault.id());
        Map<String, Inventory.Stock> stocks = new TreeMap<>();
        for (String volume : vault.volumes()) {
            Optional<Inventory.Stock> stock = last.flatMap(inventory -> inventory.stock(volume));
            if (stock.isEmpty() || volumes.contains(volume) || behind.contains(vault.id())) {
                stock = Stocktaking.stock(vault, vault.volume(volume));
            }
            Optional<Inventory.SeenHead> seen = last.flatMap(inventory -> inventory.stock(volume)).flatMap(Inventory.Stock::head);
            stock.ifPresent(found -> stocks.put(volume, found.remembering(seen)));
            setBack(vault.id(), volume).ifPresent(why -> warnings.accept(why.getMessage()));
        }
        List<Inventory.Other> others = new ArrayList<>();
        for (UUID other : all()) {
            if (!other.equals(vault.id())) {
                Optional<Inventory.Other> before = last.stream()
                        .flatMap(inventory -> inventory.others().stream())
                        .filter(said -> said.vault().equals(other))
                        .findFirst();
                Optional<Vault> here = together.stream().filter(v -> v.id().equals(other)).findFirst();
                others.add(new Inventory.Other(
                        other,
                        standing(other),
                        here.isPresent() ? Optional.of(now) : before.flatMap(Inventory.Other::seen),
                        here.isPresent() ? Optional.of(real(here.get())) : before.flatMap(Inventory.Other::folder)));
            }
        }
        boolean anew = last.isEmpty() || behind.contains(vault.id());
        long counted = generations.getOrDefault(vault.id(), 0L) + 1;
        long generation = anew ? Math.max(counted, now.toEpochMilli()) : counted; // others may have seen more than those at hand
        Inventory next = new Inventory(vault.id(), generation, now, vault.standing(), vault.keeper(), others, List.copyOf(stocks.values()));
        return anew ? next : last.filter(next::saysAs).orElse(next);
    }

    private static String real(Vault vault) throws IOException {
        return vault.folder().toRealPath().toString();
    }
}
