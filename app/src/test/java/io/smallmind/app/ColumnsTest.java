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
            Map.of("COLUMNS", "63"));
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
}
