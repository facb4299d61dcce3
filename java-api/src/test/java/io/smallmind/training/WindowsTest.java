package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WindowsTest {
  @TempDir private Path folder;

  @Test
  void eachWindowComesOncePerEpochInAnotherOrder() {
    try (TokenData data = new Texts(folder, 300).data(folder)) {
      int context = 7;
      Windows windows = new Windows(data, 5, data.length() - 20, context, 3);
      assertTrue(windows.count() > 100, () -> "windows: " + windows.count());
      List<List<Integer>> orders = new ArrayList<>();
      for (int epoch = 0; epoch < 3; epoch++) {
        int[] tokens = new int[context];
        int[] targets = new int[context];
        List<Integer> order = new ArrayList<>();
        for (long i = 0; i < windows.count(); i++) {
          windows.fill(epoch * windows.count() + i, tokens, targets, 0);
          order.add(Arrays.hashCode(tokens));
          for (int j = 0; j + 1 < context; j++) {
            assertEquals(tokens[j + 1], targets[j]);
          }
        }
        orders.add(order);
      }
      assertNotEquals(orders.get(0), orders.get(1));
      assertNotEquals(orders.get(1), orders.get(2));
    }
  }

  @Test
  void shufflesWithoutLoss() {
    try (TokenData data = new Texts(folder, 40).data(folder)) {
      for (int context : new int[] {2, 3, 10, 60}) {
        Windows windows = new Windows(data, 0, data.length(), context, 9);
        TreeSet<List<Integer>> seen = new TreeSet<>((a, b) -> a.toString().compareTo(b.toString()));
        int[] tokens = new int[context];
        long sum = 0;
        for (long i = 0; i < windows.count(); i++) {
          windows.fill(i, tokens, new int[context], 0);
          sum += Arrays.stream(tokens).sum();
          seen.add(Arrays.stream(tokens).boxed().toList());
        }
        // All windows of an epoch are one stretch of text, cut: its sum tells whether one is lost.
        boolean found = false;
        for (int offset = 0; offset < 2 * context && !found; offset++) {
          long stretch = 0;
          for (long i = 0; i < windows.count() * context && offset + i < data.length(); i++) {
            stretch += data.token(offset + i);
          }
          found = stretch == sum;
        }
        assertTrue(found, "context " + context + ", different windows: " + seen.size());
      }
    }
  }

  @Test
  void tooShortTextsAreRefused() {
    try (TokenData data = new Texts(folder, 40).data(folder)) {
      BadArgumentException e =
          assertThrows(BadArgumentException.class, () -> new Windows(data, 0, 16, 16, 1));
      assertTrue(e.getMessage().contains("not enough text: 16 tokens"), e.getMessage());
      assertEquals(1, new Windows(data, 0, 17, 16, 1).count());
    }
  }

  @Test
  void piecesOfATextAreTheText() throws IOException {
    Path file = folder.resolve("long.txt");
    String line = "Zeile mit Umlauten: äöü €.";
    Files.writeString(file, (line + "\n").repeat(60_000) + line.replace(" ", "").repeat(60_000));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    List<Integer> lengths = new ArrayList<>();
    TextPieces.forEach(
        List.of(file),
        piece -> {
          all.writeBytes(piece);
          lengths.add(piece.length);
          String text = new String(piece, StandardCharsets.UTF_8);
          assertEquals(-1, text.indexOf('\uFFFD'), "cut inside a character");
        });
    assertTrue(lengths.size() > 3, lengths::toString);
    assertEquals(Files.readString(file), all.toString(StandardCharsets.UTF_8));
    Path empty = Files.createFile(folder.resolve("empty.txt"));
    assertThrows(BadArgumentException.class, () -> TextPieces.forEach(List.of(empty), piece -> {}));
    assertThrows(
        BadArgumentException.class,
        () -> TextPieces.forEach(List.of(folder.resolve("absent.txt")), piece -> {}));
  }
}
