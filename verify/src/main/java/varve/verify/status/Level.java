package varve.verify.status;

/// How grave something is, as monitoring systems say it; the gravest last.
public enum Level {
    OK(0),
    /// Somebody should look at it in the day.
    WARNING(1),
    /// It cannot be told, which is no better than what it hides.
    UNKNOWN(3),
    /// Data is lost or about to be, or nothing is recorded any more.
    CRITICAL(2);

    private final int number;

    Level(int number) {
        this.number = number;
    }

    /// {@return the exit code that plugins of monitoring systems have for it}
    public int number() {
        return number;
    }

    /// {@return the graver of two}
    public Level or(Level other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
