package io.smallmind.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextsTest {
  @Test
  void timesHaveThreeDigits() {
    assertEquals("12.3 ns", Texts.time(12.345));
    assertEquals("1.00 µs", Texts.time(1000));
    assertEquals("552 µs", Texts.time(552_000));
    assertEquals("10.0 ms", Texts.time(9_999_000));
    assertEquals("2.50 s", Texts.time(2.5e9));
  }

  @Test
  void barsAreAsLongAsTheirShare() {
    assertEquals("", Texts.bar(0, 10));
    assertEquals("▏", Texts.bar(1e-6, 10));
    assertEquals("█████", Texts.bar(0.5, 10));
    assertEquals("██████████", Texts.bar(1.7, 10));
  }

  @Test
  void sparksRiseWithTheirValues() {
    assertEquals("▂▅█", Texts.spark(List.of(1.0, 4.0, 7.0)));
  }

  @Test
  void textIsCutToItsWidth() {
    assertEquals("abcd…", Texts.left("abcdefgh", 5));
    assertEquals("ab   ", Texts.left("ab", 5));
    assertEquals("   ab", Texts.right("ab", 5));
  }

  @Test
  void bytesHaveBinaryUnits() {
    assertEquals("24 B", Texts.bytes(24));
    assertEquals("23.5 GiB", Texts.bytes(23.5 * (1L << 30)));
  }

  @Test
  void trendForgivesNoiseOnly() {
    assertTrue(Summary.rises(List.of(100.0, 99.0, 200.0)));
    assertFalse(Summary.rises(List.of(100.0, 90.0, 200.0)));
  }
}
