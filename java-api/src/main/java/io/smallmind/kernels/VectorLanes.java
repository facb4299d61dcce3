package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Weights of one format packed for the Vector API: a group of rows side by side, each row in a
 * 32-bit lane of its own, so that sums need no reduction across lanes and memory is read in one
 * sequential stream.
 *
 * <p>A group is {@link #ROWS} rows: two vectors. A block of the format becomes a number of words
 * per row, and word w of row r lies at index w · ROWS + r of the group's block. In a word, the
 * lower 16 bits hold weights at even columns and the upper 16 bits those at odd columns, as {@link
 * VectorActivations#pairs} hold the activations: 16-bit multiplications and additions then run over
 * both. A sum must fit 16 bits only at its end: on the way there, they wrap around without harm.
 *
 * <p>The formats' loops repeat some sequences line by line, above all the conversion of F16: as 13
 * bits more of exponent, times 2^112, but for infinities and NaN. C2 stops inlining methods that
 * aren't the JDK's own when a loop grows large, and then every vector that crosses the call becomes
 * an object.
 *
 * <p>Missing rows of the last group are zeros. Values are those of the format, bit for bit; only
 * their places differ.
 */
abstract class VectorLanes {
  static final VectorSpecies<Float> F = VectorTile.S;
  static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  static final int L = VectorTile.L;

  /** Rows of a group. */
  static final int ROWS = VectorTile.PANEL;

  private static final VectorLanes Q4_0 = new VectorQ40();
  private static final VectorLanes Q8_0 = new VectorQ80();
  private static final VectorLanes Q4_K = new VectorQ4K();
  private static final VectorLanes Q6_K = new VectorQ6K();

  /** The F32 pattern of 2^16, which an infinite F16 would be if it were a number. */
  static final int FIRST_INFINITE = Float.floatToRawIntBits(0x1p16f);

  private static final class Scratch {
    final byte[] stored = new byte[256];
    int[] lanes = new int[0];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final TensorType type;

  /** Size of a group's packed block, in 32-bit words. */
  private final int blockWords;

  /**
   * Makes a layout.
   *
   * @param halfRowWords words per two rows and block: scales of 16 bits share a word
   */
  VectorLanes(TensorType type, int halfRowWords) {
    this.type = type;
    this.blockWords = halfRowWords * L;
  }

  /** Returns the layout for a format, or null if the format is multiplied as it is stored. */
  static @Nullable VectorLanes of(TensorType type) {
    return switch (type) {
      case Q4_0 -> Q4_0;
      case Q8_0 -> Q8_0;
      case Q4_K -> Q4_K;
      case Q6_K -> Q6_K;
      default -> null;
    };
  }

  final int blockLength() {
    return type.blockLength();
  }

  /** Returns the size of a group's packed block, in bytes. */
  final long blockBytes() {
    return 4L * blockWords;
  }

  /** Returns the size of a group, in bytes. */
  final long groupBytes(long columns) {
    return columns / type.blockLength() * blockBytes();
  }

  /** Packs rows; rowBegin is the first of a group. */
  final void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    Scratch scratch = SCRATCH.get();
    if (scratch.lanes.length < blockWords) {
      scratch.lanes = new int[blockWords];
    }
    int[] lanes = scratch.lanes;
    byte[] stored = scratch.stored;
    int bytes = type.blockBytes();
    long blocks = source.columns() / type.blockLength();
    for (long row = rowBegin; row < rowEnd; row += ROWS) {
      int rows = (int) Math.min(ROWS, rowEnd - row);
      long to = row / ROWS * groupBytes(source.columns());
      for (long block = 0; block < blocks; block++, to += blockBytes()) {
        Arrays.fill(lanes, 0);
        for (int lane = 0; lane < rows; lane++) {
          long from = source.rowOffset(row + lane) + block * bytes;
          MemorySegment.copy(source.segment(), JAVA_BYTE, from, stored, 0, bytes);
          packBlock(stored, lanes, lane);
        }
        MemorySegment.copy(lanes, 0, target, JAVA_INT, to, blockWords);
      }
    }
  }

  /** Spreads a stored block of one row over its words in a group's block of zeros. */
  abstract void packBlock(byte[] stored, int[] lanes, int lane);

  /**
   * Multiplies a group by one row of activations.
   *
   * @param offset of the group, in bytes
   * @param blocks length of the rows, in blocks of the format
   * @param out receives ROWS sums; has 4 · ROWS places, all of which are used on the way
   */
  abstract void multiply(
      VectorActivations x, MemorySegment w, long offset, int blocks, float[] out);

  /**
   * Decodes blocks of a group to F32.
   *
   * @param offset of the first block, in bytes
   * @param panel receives (blocks · block length, ROWS)
   */
  abstract void decode(MemorySegment w, long offset, int blocks, float[] panel, int panelOffset);

  // ---- For the formats

  /** Returns an unsigned little-endian number of 16 bits. */
  static int u16(byte[] bytes, int index) {
    return bytes[index] & 0xFF | (bytes[index + 1] & 0xFF) << 8;
  }

  /** Puts 16 bits of a row into the word that it shares with the row L further on. */
  static void put16(int[] lanes, int index, int lane, int bits) {
    lanes[index + lane % L] |= lane < L ? bits : bits << 16;
  }
}
