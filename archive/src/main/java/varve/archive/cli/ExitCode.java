package varve.archive.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import varve.archive.block.RefusedException;
import varve.archive.chain.BrokenChainException;
import varve.archive.format.CorruptException;
import varve.archive.format.UnsupportedException;
import varve.archive.sign.UntrustedException;
import varve.archive.sign.WrongPasswordException;
import varve.archive.seal.WrongKeyException;
import varve.archive.vault.LockedException;
import varve.archive.vault.NotFoundException;

/// How a run ended, for scripts. The numbers never change; `varve --help` and varve(1) list them.
public enum ExitCode {
    OK(0, "done"),
    UNEXPECTED(1, "a bug in varve: please report it with the lines it printed"),
    USAGE(2, "the command line is wrong: nothing was done"),
    FINDINGS(3, "verification found damage or a difference"),
    CORRUPT(4, "an archive is damaged: take another copy of it"),
    BROKEN_CHAIN(5, "an archive that is needed is not at hand: fetch it"),
    UNSUPPORTED(6, "an archive was made by a later version: upgrade"),
    IO(7, "a device or file could not be read or written"),
    LOCKED(8, "another run is at work on the volume"),
    REFUSED(9, "it would do harm (mounted, held or too small): nothing was done"),
    NOT_FOUND(10, "there is no such vault, volume, point, source or file"),
    WRONG_KEY(11, "it is sealed, and no key that was given opens it"),
    UNTRUSTED(12, "a signature is missing or wrong: find out why before you use it"),
    INTERRUPTED(130, "interrupted (SIGINT): the same command again carries on"),
    TERMINATED(143, "ended from outside (SIGTERM): the same command again carries on"),

    /// of `varve status` alone, whose numbers are those that monitoring systems know; [#OK] is the fourth
    MONITOR_WARNING(1, "WARNING"),
    /// likewise
    MONITOR_CRITICAL(2, "CRITICAL"),
    /// likewise
    MONITOR_UNKNOWN(3, "UNKNOWN");

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    public int number() {
        return number;
    }

    /// {@return what it means, for the help page}
    public String meaning() {
        return meaning;
    }

    /// {@return whether it is of `varve status` alone}
    public boolean monitor() {
        return compareTo(MONITOR_WARNING) >= 0;
    }

    /// {@return how a run ended that an exception ended}
    static ExitCode of(Throwable thrown) {
        return switch (thrown) {
            case UncheckedIOException e -> of(e.getCause());
            case UsageException _ -> USAGE;
            case UntrustedException _ -> UNTRUSTED;
            case CorruptException _ -> CORRUPT;
            case BrokenChainException _ -> BROKEN_CHAIN;
            case UnsupportedException _ -> UNSUPPORTED;
            case LockedException _ -> LOCKED;
            case RefusedException _, WrongPasswordException _ -> REFUSED;
            case WrongKeyException _ -> WRONG_KEY;
            case NotFoundException _, NoSuchFileException _ -> NOT_FOUND;
            case IOException _ -> IO;
            case InterruptedException _ -> INTERRUPTED;
            default -> UNEXPECTED;
        };
    }
}
