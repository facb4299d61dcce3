package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Byte strings by number and by content. */
class ByteStringsTest {
  private static ByteStrings keys(String... latin1) {
    ByteStrings strings = new ByteStrings(latin1.length);
    for (String each : latin1) {
      append(strings, each);
      strings.endKey();
    }
    return strings;
  }

  private static void append(ByteStrings strings, String latin1) {
    strings.append(latin1.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void findsTheFirstOfEqualKeys() {
    ByteStrings strings = keys("a", "b", "a", "", "ab", "");
    assertEquals(6, strings.size());
    assertEquals(0, strings.find("a"));
    assertEquals(1, strings.find("b"));
    assertEquals(3, strings.find(""));
    assertEquals(4, strings.find("ab"));
    assertEquals(-1, strings.find("ba"));
    assertEquals("a", strings.text(2));
    assertEquals("", strings.text(5));
  }

  @Test
  void findsPartsOfTexts() {
    ByteStrings strings = keys("ab", "abc", "b");
    assertEquals(0, strings.find("xabcx", 1, 3, 0));
    assertEquals(1, strings.find("xabcx", 1, 4, 0));
    assertEquals(2, strings.find("xabcx", 2, 3, 0));
    assertEquals(-1, strings.find("xabcx", 1, 5, 0));
    assertEquals(-1, strings.find("xabcx", 2, 2, 0));
  }

  @Test
  void tagsArePartsOfKeys() {
    ByteStrings strings = new ByteStrings(4);
    for (int tag : new int[] {0, 1, 2, 1}) {
      append(strings, "abc");
      strings.endKey(tag);
    }
    for (int tag = 0; tag < 3; tag++) {
      assertEquals(tag, strings.find("abc", 0, 3, tag));
    }
    assertEquals(-1, strings.find("abc", 0, 3, 3));
    assertEquals(-1, strings.find("abc", 0, 3, -1));
  }

  @Test
  void hiddenStringsAreReadButNotFound() {
    ByteStrings strings = new ByteStrings(3);
    append(strings, "a");
    strings.endHidden();
    assertEquals(-1, strings.find("a"));
    append(strings, "a");
    strings.endKey();
    append(strings, "b");
    strings.endHidden();
    assertEquals(1, strings.find("a"));
    assertEquals(-1, strings.find("b"));
    assertEquals("a", strings.text(0));
    assertEquals("b", strings.text(2));
  }

  @Test
  void bytesFrom80UpAreKept() {
    ByteStrings strings = keys("\u0080", "\u00ff\u0000", "e");
    assertEquals(0, strings.find("\u0080"));
    assertEquals(1, strings.find("\u00ff\u0000"));
    assertArrayEquals(new byte[] {-1, 0}, strings.get(1));
    assertEquals(2, strings.length(1));
  }

  @Test
  void charactersAboveFfAreNotFound() {
    ByteStrings strings = keys("a", "\u0000", "\u00ff");
    for (String text : List.of("\u0161", "\u0100", "\uffff", "\ud83d\ude00")) {
      assertEquals(-1, strings.find(text), text);
    }
  }

  @Test
  void aStringCanBeStartedAgain() {
    ByteStrings strings = new ByteStrings(2);
    append(strings, "abc");
    strings.endKey();
    strings.append('x');
    strings.append(0xE9);
    assertEquals(2, strings.pending());
    strings.restart();
    assertEquals(0, strings.pending());
    ByteBuffer source = ByteBuffer.wrap(new byte[] {'a', 'b', 'c'}).position(1);
    strings.append(source);
    assertEquals(1, source.position());
    strings.endKey();
    assertEquals(1, strings.find("bc"));
    ByteBuffer target = ByteBuffer.allocate(5);
    strings.get(0, target);
    strings.get(1, target);
    assertEquals("abcbc", new String(target.array(), StandardCharsets.ISO_8859_1));
  }

  @Test
  void noStringsAtAll() {
    ByteStrings strings = new ByteStrings(0);
    assertEquals(0, strings.size());
    assertEquals(-1, strings.find(""));
    assertThrows(IndexOutOfBoundsException.class, () -> strings.get(0));
    assertThrows(IndexOutOfBoundsException.class, () -> keys("a").get(1));
    assertThrows(IndexOutOfBoundsException.class, () -> keys("a").get(-1));
  }

  @Test
  void behavesAsAMapDoes() {
    Random random = new Random(5);
    for (int count : new int[] {1, 2, 3, 100, 50_000}) {
      ByteStrings strings = new ByteStrings(count);
      Map<String, Integer> expected = new HashMap<>();
      List<String> texts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(i % 100 == 0 ? 300 : 5); length > 0; length--) {
          text.append((char) (random.nextBoolean() ? random.nextInt(256) : random.nextInt(3)));
        }
        texts.add(text.toString());
        int tag = random.nextInt(2);
        append(strings, texts.get(i));
        if (i % 7 == 0) {
          strings.endHidden();
        } else {
          strings.endKey(tag);
          expected.putIfAbsent(texts.get(i) + '\u0100' + tag, i);
        }
      }
      for (int i = 0; i < count; i++) {
        String text = texts.get(i);
        assertEquals(text, strings.text(i));
        for (int tag = 0; tag < 2; tag++) {
          for (String sought : List.of(text, text + '\u0000', "\u00a0" + text)) {
            int found = expected.getOrDefault(sought + '\u0100' + tag, -1);
            assertEquals(found, strings.find(sought, 0, sought.length(), tag));
          }
        }
      }
    }
  }
}
