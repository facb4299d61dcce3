package io.smallmind.kernels;

import static io.smallmind.kernels.VectorFormat.Bits.BYTES;
import static io.smallmind.kernels.VectorFormat.Bits.NIBBLES;
import static io.smallmind.kernels.VectorFormat.Bits.SIX;

import io.smallmind.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * The formats that the Vector API backend packs: value = scale · (q + offset) − minimum, with the
 * integers of {@link VectorBlock} and a scale per group of 16 or 32 columns. The layouts of stored
 * blocks are those that the codecs say.
 */
enum VectorFormat {
  Q4_0(TensorType.Q4_0, NIBBLES, -8, 32, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      nibbles(stored, 2, 16, to.q, 0);
    }
  },
  Q4_1(TensorType.Q4_1, NIBBLES, 0, 32, true) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      to.minimum = u16(stored, 2) ^ SIGN; // it is added
      nibbles(stored, 4, 16, to.q, 0);
    }
  },
  Q5_0(TensorType.Q5_0, SIX, -16, 32, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      nibbles(stored, 6, 16, to.q, 0);
      fifthBits(stored, 2, to.q);
    }
  },
  Q5_1(TensorType.Q5_1, SIX, 0, 32, true) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      to.minimum = u16(stored, 2) ^ SIGN;
      nibbles(stored, 8, 16, to.q, 0);
      fifthBits(stored, 4, to.q);
    }
  },
  Q8_0(TensorType.Q8_0, BYTES, 0, 32, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      for (int i = 0; i < 32; i++) {
        to.q[i] = stored[2 + i];
      }
    }
  },
  Q2_K(TensorType.Q2_K, NIBBLES, 0, 16, true) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 80);
      to.minimum = u16(stored, 82);
      for (int group = 0; group < 16; group++) {
        to.scales[group] = stored[group] & 15;
        to.minimums[group] = stored[group] >> 4 & 15;
      }
      twoBits(stored, 16, to.q);
    }
  },
  Q3_K(TensorType.Q3_K, NIBBLES, -4, 16, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 108);
      for (int group = 0; group < 16; group++) {
        int low = stored[96 + group % 8] >> group / 8 * 4 & 15;
        int high = stored[104 + group % 4] >> group / 4 * 2 & 3;
        to.scales[group] = (low | high << 4) - 32;
      }
      twoBits(stored, 32, to.q);
      for (int i = 0; i < 256; i++) {
        to.q[i] |= (stored[i % 32] >> i / 32 & 1) << 2;
      }
    }
  },
  Q4_K(TensorType.Q4_K, NIBBLES, 0, 32, true) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      sixBitPairs(stored, to);
      for (int part = 0; part < 4; part++) {
        nibbles(stored, 16 + 32 * part, 32, to.q, 64 * part);
      }
    }
  },
  Q5_K(TensorType.Q5_K, SIX, 0, 32, true) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      sixBitPairs(stored, to);
      for (int part = 0; part < 4; part++) {
        nibbles(stored, 48 + 32 * part, 32, to.q, 64 * part);
      }
      for (int i = 0; i < 256; i++) {
        to.q[i] |= (stored[16 + i % 32] >> i / 32 & 1) << 4;
      }
    }
  },
  Q6_K(TensorType.Q6_K, SIX, -32, 16, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 208);
      for (int group = 0; group < 16; group++) {
        to.scales[group] = stored[192 + group];
      }
      nibbles(stored, 0, 64, to.q, 0);
      nibbles(stored, 64, 64, to.q, 128);
      for (int part = 0; part < 8; part++) {
        int high = 128 + part / 4 * 32;
        int shift = part % 4 * 2;
        for (int i = 0; i < 32; i++) {
          to.q[part * 32 + i] |= (stored[high + i] >> shift & 3) << 4;
        }
      }
    }
  },
  IQ4_NL(TensorType.IQ4_NL, BYTES, 0, 32, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      nibbles(stored, 2, 16, to.q, 0);
      levels(to.q, 32);
    }
  },
  IQ4_XS(TensorType.IQ4_XS, BYTES, 0, 32, false) {
    @Override
    void read(byte[] stored, VectorBlock to) {
      to.scale = u16(stored, 0);
      int high = u16(stored, 2);
      for (int group = 0; group < 8; group++) {
        int low = stored[4 + group / 2] >> group % 2 * 4 & 15;
        to.scales[group] = (low | (high >> 2 * group & 3) << 4) - 32;
        nibbles(stored, 8 + 16 * group, 16, to.q, 32 * group);
      }
      levels(to.q, 256);
    }
  };

  /** How integers lie in 32-bit words. */
  enum Bits {
    /** Words of 8 nibbles. */
    NIBBLES(2),
    /** Words of 4 integers, and parts of others. */
    SIX(3),
    /** Words of 4 signed bytes. */
    BYTES(4);

    /** Words that 16 columns of a row take. */
    final int words;

    Bits(int words) {
      this.words = words;
    }
  }

  private static final int SIGN = 0x8000;

  /** The levels of IQ4_NL and IQ4_XS: signed bytes. */
  private static final int[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private static final VectorFormat[] BY_TYPE = new VectorFormat[TensorType.values().length];

  static {
    for (VectorFormat format : values()) {
      BY_TYPE[format.type.ordinal()] = format;
    }
  }

  final TensorType type;
  final Bits bits;

  /** What is added to every integer before it is scaled. */
  final int offset;

  /** Columns that share a scale: 16 or 32. */
  final int groupLength;

  final boolean hasMinimums;

  /** Whether groups have scales of their own, in units of the block's. */
  final boolean hasGroups;

  VectorFormat(TensorType type, Bits bits, int offset, int groupLength, boolean hasMinimums) {
    this.type = type;
    this.bits = bits;
    this.offset = offset;
    this.groupLength = groupLength;
    this.hasMinimums = hasMinimums;
    hasGroups = type.blockLength() > groupLength;
  }

  /** Returns the format of a type, or null if the type is multiplied as it is stored. */
  static @Nullable VectorFormat of(TensorType type) {
    return BY_TYPE[type.ordinal()];
  }

  /** Takes a stored block apart. */
  abstract void read(byte[] stored, VectorBlock to);

  // ---- Parts of stored blocks

  /** Returns an unsigned little-endian number of 16 bits. */
  private static int u16(byte[] bytes, int index) {
    return bytes[index] & 0xFF | (bytes[index + 1] & 0xFF) << 8;
  }

  /** Takes the lower halves of bytes, then the upper ones. */
  private static void nibbles(byte[] stored, int from, int bytes, int[] q, int to) {
    for (int i = 0; i < bytes; i++) {
      q[to + i] = stored[from + i] & 15;
      q[to + bytes + i] = stored[from + i] >> 4 & 15;
    }
  }

  /** Adds the fifth bits of a block of 32. */
  private static void fifthBits(byte[] stored, int from, int[] q) {
    int high = u16(stored, from) | u16(stored, from + 2) << 16;
    for (int i = 0; i < 32; i++) {
      q[i] |= (high >>> i & 1) << 4;
    }
  }

  /** Takes the two-bit integers of a block of 256. */
  private static void twoBits(byte[] stored, int from, int[] q) {
    for (int part = 0; part < 8; part++) {
      int first = from + part / 4 * 32;
      int shift = part % 4 * 2;
      for (int i = 0; i < 32; i++) {
        q[part * 32 + i] = stored[first + i] >> shift & 3;
      }
    }
  }

  /**
   * Takes the head of Q4_K and Q5_K: 6-bit scales and minimums, the last four of which keep their
   * upper bits with the first.
   */
  private static void sixBitPairs(byte[] stored, VectorBlock to) {
    to.scale = u16(stored, 0);
    to.minimum = u16(stored, 2);
    for (int i = 0; i < 4; i++) {
      to.scales[i] = stored[4 + i] & 63;
      to.minimums[i] = stored[8 + i] & 63;
      to.scales[4 + i] = stored[12 + i] & 15 | (stored[4 + i] & 0xC0) >> 2;
      to.minimums[4 + i] = stored[12 + i] >> 4 & 15 | (stored[8 + i] & 0xC0) >> 2;
    }
  }

  private static void levels(int[] q, int length) {
    for (int i = 0; i < length; i++) {
      q[i] = LEVELS[q[i]];
    }
  }
}
