package varve.archive.cli;

/// The command line asks for what makes no sense, such as two options that exclude each other.
public final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UsageException(String message) {
        super(message);
    }
}
