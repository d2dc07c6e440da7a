package varve.archive.cli;

/// Runs several command lines, one per argument, in one JVM: what the launcher makes its AOT caches from.
final class Rehearsal {
    private Rehearsal() {}

    public static void main(String[] lines) {
        for (String line : lines) {
            System.out.println(line + ": " + Main.run(Stdio.ofProcess(), line.split(" ")));
        }
    }
}
