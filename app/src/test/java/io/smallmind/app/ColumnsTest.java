package io.smallmind.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ColumnsTest {
  @Test
  void breaksLinesAtSpaces() {
    assertEquals(List.of("one two", "three", "", "four"), Columns.wrap("one two three\n\nfour", 8));
    assertEquals(List.of(""), Columns.wrap("", 8));
  }

  @Test
  void drawsTextsSideBySide() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Console console =
        new Console(
            new ByteArrayInputStream(new byte[0]),
            out,
            out,
            true,
            true,
            true,
            Map.of("COLUMNS", "63", "LINES", "24"));
    Columns columns = new Columns(console, 2);
    columns.title(0, "left");
    columns.title(1, "right");
    columns.append(0, "once upon a time");
    columns.append(1, "there was");
    columns.end();
    String[] frames = bytes.toString(StandardCharsets.UTF_8).split("\u001b\\[\\d+A");
    List<String> last = frames[frames.length - 1].lines().toList();
    assertEquals(3, last.size());
    assertTrue(last.get(0).startsWith("left" + " ".repeat(26) + "  right"), last.get(0));
    assertTrue(last.get(2).startsWith("once upon a time" + " ".repeat(14) + "  there was"));
  }

  @Test
  void drawsNoMoreThanTheTerminalShowsAndAllAtTheEnd() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Map<String, String> environment = Map.of("COLUMNS", "63", "LINES", "8");
    Console console =
        new Console(new ByteArrayInputStream(new byte[0]), out, out, true, true, true, environment);
    Columns columns = new Columns(console, 2);
    for (int line = 1; line <= 20; line++) {
      columns.append(0, "line " + line + "\n");
      columns.title(1, "after " + line);
    }
    columns.end();
    String[] frames = bytes.toString(StandardCharsets.UTF_8).split("\u001b\\[\\d+A");
    List<String> late = frames[frames.length - 2].lines().toList();
    assertEquals(7, late.size());
    assertTrue(late.get(5).startsWith("line 20 "), late::toString);
    List<String> last = frames[frames.length - 1].lines().toList();
    assertTrue(last.size() >= 22, last::toString);
    assertTrue(last.get(2).startsWith("line 1 "), last::toString);
  }
}
