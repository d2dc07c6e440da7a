/// `varve`: the command line. [Main] finds each module's [Verb]s, parses with picocli, runs one, and turns how it ended
/// into an [ExitCode] and at most one line of error.
///
/// Data goes to stdout, talk to stderr; options that several verbs share are mixins.
@NullMarked
package varve.archive.cli;

import org.jspecify.annotations.NullMarked;
