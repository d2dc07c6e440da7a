package varve.verify.status;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import varve.archive.vault.Catalogue;
import varve.archive.vault.NotFoundException;
import varve.archive.vault.Vault;

/// Finds out how volumes stand, from manifests, receipts, inventories and locks: no data file is read.
///
/// What cannot be looked at is a concern of its own, so that nothing is well because something failed.
public final class Survey {

    private final List<Vault> vaults;
    private final StatusOptions options;
    private final InstantSource clock;

    /// @param vaults at hand; of others their inventories tell
    public Survey(List<Vault> vaults, StatusOptions options, InstantSource clock) {
        this.vaults = List.copyOf(vaults);
        this.options = options;
        this.clock = clock;
    }

    /// @param names of volumes; none stands for all
    /// @throws NotFoundException if a volume that is named is in none of the vaults
    public Status run(Collection<String> names) throws IOException {
        Instant now = clock.instant();
        List<Concern> concerns = new ArrayList<>();
        Catalogue catalogue = Catalogue.open(vaults, warning -> concerns.add(new Concern(Level.WARNING, Concern.Kind.CATALOGUE, warning)));
        KernelLocks before = KernelLocks.read();
        List<VolumeSurvey> surveys = new ArrayList<>();
        for (String name : names.isEmpty() ? allVolumes() : new TreeSet<>(names)) {
            VolumeSurvey survey = new VolumeSurvey(vaults, name, catalogue, options, now);
            if (!names.isEmpty() && !survey.exists()) {
                throw new NotFoundException("volume \"" + name + "\": in none of the vaults");
            }
            if (!names.isEmpty() || survey.worthwhile()) {
                survey.look();
                surveys.add(survey);
            }
        }
        KernelLocks after = KernelLocks.read(); // what was locked at either time was not left behind
        List<VolumeStatus> volumes = new ArrayList<>();
        for (VolumeSurvey survey : surveys) {
            volumes.add(survey.status(before, after));
        }
        return new Status(now, options, volumes, concerns);
    }

    private Collection<String> allVolumes() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        for (Vault vault : vaults) {
            names.addAll(vault.volumes());
        }
        return names;
    }
}
