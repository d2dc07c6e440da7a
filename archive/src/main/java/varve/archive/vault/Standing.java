package varve.archive.vault;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import varve.archive.block.RefusedException;

/// What people say of a vault: how they call it, where they keep it, whether they rely on it.
///
/// It may be said at the vault itself or, when that is out of reach, in the catalogue of another. The highest revision holds; of
/// two that were made apart the graver one.
///
/// @param label what people call it
/// @param place where it is kept, such as "safe B, shelf 3"
/// @param state whether it is relied on
/// @param revision one more each time something else is said
public record Standing(Optional<String> label, Optional<String> place, State state, long revision) {

    /// what holds as long as nobody has said anything
    public static final Standing NEW = new Standing(Optional.empty(), Optional.empty(), State.ONLINE, 0);

    private static final int MOST = 64;
    private static final int MOST_OF_PLACE = 200;

    private static final Comparator<Standing> ORDER = Comparator.comparingLong(Standing::revision)
            .thenComparing(Standing::state)
            .thenComparing(standing -> standing.label.orElse(""))
            .thenComparing(standing -> standing.place.orElse(""));

    /// Whether a vault is relied on, the gravest last.
    public enum State {
        /// always within reach
        ONLINE("online"),
        /// kept elsewhere, and brought when it is needed
        AWAY("away"),
        /// perhaps lost or damaged: counts as no copy until somebody has looked
        SUSPECT("suspect"),
        /// given up: counts as no copy
        RETIRED("retired");

        private final String word;

        State(String word) {
            this.word = word;
        }

        /// {@return the word in files and on the command line}
        public String word() {
            return word;
        }

        /// @throws IllegalArgumentException if there is no such state
        public static State of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word.equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("state \"" + word + "\""));
        }
    }

    /// {@return whether what the vault holds counts as copies}
    public boolean counts() {
        return state.compareTo(State.AWAY) <= 0;
    }

    /// {@return which of two holds}
    public static Standing newer(Standing one, Standing other) {
        return ORDER.compare(one, other) >= 0 ? one : other;
    }

    public Standing with(State other) {
        return new Standing(label, place, other, revision + 1);
    }

    /// @throws RefusedException if no vault may be called so
    public Standing labelled(String text) throws RefusedException {
        if (text.isBlank() || text.length() > MOST || text.matches("(?s).*[/=\\p{Cntrl}].*")) {
            throw new RefusedException("\"" + text + "\": a label is 1 to " + MOST + " characters without / and =");
        }
        return new Standing(Optional.of(text.strip()), place, state, revision + 1);
    }

    /// @param text nothing takes what was said before back
    /// @throws RefusedException if it is too long
    public Standing placed(String text) throws RefusedException {
        if (text.length() > MOST_OF_PLACE || text.matches("(?s).*\\p{Cntrl}.*")) {
            throw new RefusedException("\"" + text + "\": a place is one line of at most " + MOST_OF_PLACE + " characters");
        }
        return new Standing(label, Optional.of(text.strip()).filter(words -> !words.isEmpty()), state, revision + 1);
    }
}
