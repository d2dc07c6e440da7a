package varve.mounthelper.nbd;

/// How long something takes that is up to a client. One thread at a time begins and ends it, any may look.
final class Wait {

    private static final long NONE = Long.MAX_VALUE;

    private volatile long since = NONE;

    void begin() {
        since = System.nanoTime();
    }

    void end() {
        since = NONE;
    }

    /// {@return how long it has taken, 0 if it is not going on}
    long nanos(long now) {
        long start = since;
        return start == NONE ? 0 : now - start;
    }
}
