package io.smallmind.sampling;

import java.util.ArrayList;
import java.util.List;

/** Ranges of characters as ranges of their bytes in UTF-8. */
final class Utf8Ranges {
  /** Last code points of 1, 2, 3 and 4 bytes. */
  private static final int[] LAST = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};

  private Utf8Ranges() {}

  /**
   * Returns sequences of byte ranges that together match the same characters.
   *
   * @param ranges first and last code points
   * @return for each sequence first and last values, byte by byte
   */
  static List<int[]> of(List<int[]> ranges) {
    List<int[]> sequences = new ArrayList<>();
    for (int[] range : ranges) {
      // Surrogates are no characters.
      add(range[0], Math.min(range[1], 0xD7FF), sequences);
      add(Math.max(range[0], 0xE000), range[1], sequences);
    }
    return sequences;
  }

  private static void add(int begin, int end, List<int[]> sequences) {
    int from = begin;
    for (int length = 1; length <= 4 && from <= end; length++) {
      if (from <= LAST[length - 1]) {
        split(from, Math.min(end, LAST[length - 1]), length, sequences);
        from = LAST[length - 1] + 1;
      }
    }
  }

  /** Splits until all bytes behind the first that differs go through all their values. */
  private static void split(int begin, int end, int length, List<int[]> sequences) {
    for (int level = 1; level < length; level++) {
      int mask = (1 << 6 * level) - 1;
      if ((begin & ~mask) != (end & ~mask)) {
        if ((begin & mask) != 0) {
          split(begin, begin | mask, length, sequences);
          split((begin | mask) + 1, end, length, sequences);
          return;
        }
        if ((end & mask) != mask) {
          split(begin, (end & ~mask) - 1, length, sequences);
          split(end & ~mask, end, length, sequences);
          return;
        }
      }
    }
    int[] bytes = new int[2 * length];
    for (int i = 0; i < length; i++) {
      bytes[2 * i] = value(begin, i, length);
      bytes[2 * i + 1] = value(end, i, length);
    }
    sequences.add(bytes);
  }

  private static int value(int point, int index, int length) {
    if (length == 1) {
      return point;
    }
    int bits = point >> 6 * (length - 1 - index);
    return index > 0 ? 0x80 | bits & 0x3F : (0xF00 >> length & 0xFF) | bits;
  }
}
