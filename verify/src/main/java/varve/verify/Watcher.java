package varve.verify;

/// Learns how far a long task is.
public interface Watcher {

    /// Watches nothing.
    Watcher NONE = new Watcher() {
        @Override
        public void begin(long bytes) {}

        @Override
        public void done(long bytes) {}
    };

    /// @param bytes to do, as far as is known; called once, before any is done
    void begin(long bytes);

    /// @param bytes that were done now
    void done(long bytes);
}
