package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * Heap memory for some rows per member of a team: loops over arrays are what the compiler turns
 * into vector instructions.
 */
final class Lines {
  private final float[][][] lines; // (members, lines, length)

  Lines(int members, int lines, int length) {
    this.lines = new float[members][lines][length];
  }

  float[] get(int member, int line) {
    return lines[member][line];
  }

  static void read(MemorySegment from, long offset, float[] to, int length) {
    MemorySegment.copy(from, JAVA_FLOAT, offset, to, 0, length);
  }

  static void write(float[] from, MemorySegment to, long offset, int length) {
    MemorySegment.copy(from, 0, to, JAVA_FLOAT, offset, length);
  }

  /** Returns Σ a[i]·b[i], in four sums so that additions needn't wait for each other. */
  static float dot(float[] a, float[] b, int length) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 4 <= length; i += 4) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
    }
    for (; i < length; i++) {
      s0 += a[i] * b[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  /** Returns Σ a[i]. */
  static float sum(float[] a, int length) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 4 <= length; i += 4) {
      s0 += a[i];
      s1 += a[i + 1];
      s2 += a[i + 2];
      s3 += a[i + 3];
    }
    for (; i < length; i++) {
      s0 += a[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  /** Adds values to what is in memory. */
  static void add(float[] values, MemorySegment to, long offset, float[] scratch, int length) {
    read(to, offset, scratch, length);
    for (int i = 0; i < length; i++) {
      scratch[i] += values[i];
    }
    write(scratch, to, offset, length);
  }
}
