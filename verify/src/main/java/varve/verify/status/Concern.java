package varve.verify.status;

/// One thing that is not as it should be.
///
/// @param kind its name for scripts, which never changes
/// @param text one line
public record Concern(Level level, Kind kind, String text) {

    /// What it is about.
    public enum Kind {
        /// the newest good point in time is too old, or there is none
        AGE("age"),
        /// too few proved copies
        COPIES("copies"),
        /// bytes that were not proved for too long
        UNPROVED("unproved"),
        /// damage that is known and not mended, and files that are missing
        DAMAGE("damage"),
        /// manifests that cannot be believed, and archives to which no path leads
        CHAIN("chain"),
        /// the last run of a command failed
        FAILURE("failure"),
        /// a job that died
        DIED("died"),
        /// a lock that is held for too long
        LOCK("lock"),
        /// what a job left behind
        LEFTOVER("leftover"),
        /// receipts that are not as they were written
        RECEIPTS("receipts"),
        /// a clock that was wrong, or is
        CLOCK("clock"),
        /// what is known of other vaults
        CATALOGUE("catalogue"),
        /// something that could not be looked at
        UNREADABLE("unreadable");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }
}
