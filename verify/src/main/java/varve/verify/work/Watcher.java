package varve.verify.work;

/// Learns how far a long task is.
public interface Watcher {

    /// Watches nothing.
    Watcher NONE = new Watcher() {
        @Override
        public void begin(String task, long bytes) {}

        @Override
        public void done(long bytes) {}
    };

    /// A part of the task begins; the one before has ended.
    ///
    /// @param task what is being done to what
    /// @param bytes to do, as far as is known
    void begin(String task, long bytes);

    /// @param bytes that were done now
    void done(long bytes);
}
