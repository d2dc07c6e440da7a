package varve.archive.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Columns of text from anywhere, as wide as they need to be. A heading that begins with `>` is of numbers, set to the right.
public final class Table {

    private final List<String[]> rows = new ArrayList<>();
    private final boolean[] right;

    public Table(String... headings) {
        right = new boolean[headings.length];
        for (int i = 0; i < headings.length; i++) {
            right[i] = headings[i].startsWith(">");
        }
        rows.add(Arrays.stream(headings).map(h -> h.replaceFirst("^>", "")).toArray(String[]::new));
    }

    /// Adds a row, of a cell for each heading.
    public void row(String... cells) {
        rows.add(Arrays.stream(cells).map(Printable::line).toArray(String[]::new));
    }

    /// Prints them.
    ///
    /// @param otherwise what to say if there are no rows
    public void print(PrintStream out, String otherwise) {
        if (rows.size() == 1) {
            out.println(otherwise);
            return;
        }
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String gap = " ".repeat(widths[i] - row[i].length());
                line.append(right[i] ? gap + row[i] : row[i] + gap).append("  ");
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
