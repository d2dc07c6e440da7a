package varve.archive.format;

import java.io.IOException;

/// A file breaks a rule of FORMAT.md: give up on this file, take another copy.
public final class CorruptException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Rule rule;
    private final String where;

    /// @param where file, and place in it
    /// @param what what was expected and what was found
    public CorruptException(Rule rule, String where, String what) {
        super(where + ": " + rule.breach() + " (" + rule + "): " + what);
        this.rule = rule;
        this.where = where;
    }

    public Rule rule() {
        return rule;
    }

    /// {@return file, and place in it}
    public String where() {
        return where;
    }
}
