package varve.verify;

import java.util.Optional;
import varve.archive.format.Rule;

/// One thing that a verification came upon, as a value: bad data is what it looks for, so it is not thrown.
///
/// `file` is a name in the volume's folder. `text` is one line that names file and place, what was expected and found.
public sealed interface Finding {

    String file();

    Severity severity();

    String text();

    /// {@return the rule of FORMAT.md that is broken, if it is one}
    default Optional<Rule> rule() {
        return Optional.empty();
    }

    /// A manifest that cannot be believed, or does not fit the others.
    record DamagedManifest(String file, Optional<Rule> rule, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }
    }

    /// Something that nobody vouches for who is believed, or that is not what was signed.
    record Untrusted(String file, Severity severity, String text) implements Finding {}

    /// Whose signatures were seen, and were right.
    ///
    /// @param believed whether this host believes the key, and not only the vault names it
    record Signed(String file, boolean believed, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.NOTE;
        }
    }

    /// Files of an archive without the manifest that makes them one.
    record MissingManifest(String file) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }

        @Override
        public String text() {
            return file + ": missing, but other files of this archive are there";
        }
    }

    /// Numbers of manifests that nothing in the volume has.
    ///
    /// @param file manifest of the next point that is there
    record MissingPoints(String file, long first, long last) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }

        @Override
        public String text() {
            String which = first == last ? "the point in time with number " + first + " is" : "the points in time with numbers " + first + " to " + last + " are";
            return file + ": " + which + " missing before it";
        }
    }

    /// A file that belongs to an archive and is not there.
    record MissingFile(String file, Severity severity, String text) implements Finding {}

    /// A data file that is away, with its tables still here: nothing was read of it.
    ///
    /// @param elsewhere whether another vault is known to hold a proved copy
    record NotAtHand(String file, boolean elsewhere) implements Finding {
        @Override
        public Severity severity() {
            return elsewhere ? Severity.NOTE : Severity.UNKNOWN;
        }

        @Override
        public String text() {
            return file + (elsewhere
                    ? ": not in this vault, so not proved here; another is known to hold it (varve where)"
                    : ": not at hand, so not proved; bring it back to this folder");
        }
    }

    /// Header, size or seek table of a data file.
    record DamagedFile(String file, Severity severity, Optional<Rule> rule, String text) implements Finding {}

    /// One of the two copies of an archive's tables.
    ///
    /// @param file the `.index` file, or the data file that has the other copy
    record DamagedIndex(String file, Severity severity, Optional<Rule> rule, String text) implements Finding {}

    /// A file tree that cannot be believed, or is that of another file.
    record DamagedTree(String file, Optional<Rule> rule, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.SPARE;
        }
    }

    /// A part of a data file whose bytes are not those that were written, to 1 MiB.
    ///
    /// @param position of the first damaged group
    /// @param size up to the end of the last
    record DamagedRange(String file, long position, long size) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }

        @Override
        public Optional<Rule> rule() {
            return Optional.of(Rule.F038);
        }

        @Override
        public String text() {
            return file + ": " + size + " bytes at position " + position + " differ from the file tree (F038)";
        }
    }

    /// A data file that has not the manifest's hash; without a file tree nothing tells where.
    record WrongHash(String file, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }

        @Override
        public Optional<Rule> rule() {
            return Optional.of(Rule.F038);
        }
    }

    /// Chunks of the device whose content cannot be had or has not their hash.
    ///
    /// @param file the data file at fault
    /// @param offset of the first chunk in the device
    /// @param size up to the end of the last
    /// @param text on the first
    record DamagedChunks(String file, Optional<Rule> rule, long offset, long size, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }
    }

    /// Tables that are good each by itself, but do not combine to the recorded root.
    record WrongRoot(String file, Optional<Rule> rule, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }
    }

    /// A delta to which no archive of the vault leads.
    record BrokenChain(String file, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }
    }

    /// What the medium does not give out.
    ///
    /// @param position of the first byte in the file
    record Unreadable(String file, long position, long size, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }
    }

    /// A file that a later varve wrote.
    record Unsupported(String file, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.UNKNOWN;
        }
    }

    /// Damage in one file beyond what is listed.
    ///
    /// @param places that are not listed
    record MoreDamage(String file, long places) implements Finding {
        @Override
        public Severity severity() {
            return Severity.DAMAGE;
        }

        @Override
        public String text() {
            return file + ": and " + places + " more damaged places, which are not listed";
        }
    }

    /// Receipts that are damaged, missing, or not as they were written: what was proved when is not known for sure.
    record DamagedReceipts(String file, Optional<Rule> rule, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.SPARE;
        }
    }

    /// Settings of the volume that cannot be believed: nobody knows which points in time are protected.
    record DamagedSettings(String file, Optional<Rule> rule, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.SPARE;
        }
    }

    /// A time that cannot be right: a clock was wrong when the point was recorded. Points are ordered by their numbers, so nothing is lost.
    record StrangeTime(String file, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.NOTE;
        }
    }

    /// A file that is no part of any archive.
    record StrayFile(String file, String text) implements Finding {
        @Override
        public Severity severity() {
            return Severity.NOTE;
        }
    }

    /// {@return the name of its kind for scripts, which never changes}
    default String kind() {
        return switch (this) {
            case DamagedManifest _ -> "damaged-manifest";
            case Untrusted _ -> "untrusted";
            case Signed _ -> "signed";
            case MissingManifest _ -> "missing-manifest";
            case MissingPoints _ -> "missing-points";
            case MissingFile _ -> "missing-file";
            case NotAtHand _ -> "not-at-hand";
            case DamagedFile _ -> "damaged-file";
            case DamagedIndex _ -> "damaged-index";
            case DamagedTree _ -> "damaged-tree";
            case DamagedRange _ -> "damaged-range";
            case WrongHash _ -> "wrong-hash";
            case DamagedChunks _ -> "damaged-chunks";
            case WrongRoot _ -> "wrong-root";
            case BrokenChain _ -> "broken-chain";
            case Unreadable _ -> "unreadable";
            case Unsupported _ -> "unsupported";
            case MoreDamage _ -> "more-damage";
            case DamagedReceipts _ -> "damaged-receipts";
            case DamagedSettings _ -> "damaged-settings";
            case StrangeTime _ -> "strange-time";
            case StrayFile _ -> "stray-file";
        };
    }
}
