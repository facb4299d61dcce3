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
 * sequential stream: hardware prefetch gives up on anything else.
 *
 * <p>A group is {@link #ROWS} rows, that is two vectors; missing rows of the last one are zeros.
 * Its columns come in chunks of up to {@link #CHUNK}, a chunk being a sequence of words per row,
 * word w of row r at index w · ROWS + r:
 *
 * <ol>
 *   <li>scales of blocks, F16
 *   <li>minimums of blocks, likewise, if there are any
 *   <li>scales of groups, if they have their own: words of signed bytes for four groups
 *   <li>minimums of groups, likewise
 *   <li>the integers: 2 to 4 words for 16 columns
 * </ol>
 *
 * <p>In all words of integers, the lower 16 bits hold even columns and the upper 16 bits odd ones,
 * as {@link VectorActivations#pairs} hold the activations: 16-bit multiplications and additions
 * then run over both. 16 columns of {@link VectorFormat.Bits} are
 *
 * <ul>
 *   <li>NIBBLES: two words; nibble i of either half is column 2 i (or 2 i + 1), in the second word
 *       8 further on
 *   <li>SIX: three words; the lower 12 bits of either half of word i are the columns 4 i and 4 i +
 *       2 (or 4 i + 1 and 4 i + 3), the rest of the first two the lower four bits of columns 12 and
 *       14 (or 13 and 15), the rest of the third their upper two bits
 *   <li>BYTES: four words, each with the columns 0, 2, 1, 3 from the lowest byte up, in every word
 *       4 further on; with 128 added, so that they have no sign
 * </ul>
 */
final class VectorLanes {
  static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  static final int L = VectorTile.L;

  /**
   * Distance of vectors of words, in bytes, to those who must compute addresses at run time (see
   * {@link VectorDots}): C2 would take it for a constant if it were final.
   */
  static long next = 4L * L;

  /** Raised whenever a packed layout changes, this one or that of {@link VectorFloats}. */
  static final int VERSION = 1;

  /** Rows of a group. */
  static final int ROWS = VectorTile.PANEL;

  /** Columns of a full chunk. */
  static final int CHUNK = 256;

  /** The most groups that a chunk can have. */
  static final int MOST_GROUPS = CHUNK / 16;

  private static final VectorLanes[] BY_TYPE = new VectorLanes[TensorType.values().length];

  static {
    for (VectorFormat format : VectorFormat.values()) {
      BY_TYPE[format.type.ordinal()] = new VectorLanes(format);
    }
  }

  private static final class Scratch {
    final byte[] stored = new byte[256];
    final VectorBlock block = new VectorBlock();
    int[] words = new int[0];
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  final VectorFormat format;
  private final int blockLength;
  private final int groupsPerBlock;

  /** Words of a group of rows per block: with scales and integers, and the scales alone. */
  private final int blockWords;

  private final int headWords;

  private VectorLanes(VectorFormat format) {
    this.format = format;
    blockLength = format.type.blockLength();
    groupsPerBlock = blockLength / format.groupLength;
    int kinds = format.hasMinimums ? 2 : 1;
    headWords = kinds * (L + (format.hasGroups ? groupsPerBlock / 4 * ROWS : 0));
    blockWords = headWords + blockLength / 16 * format.bits.words * ROWS;
  }

  /** Returns the layout for a type, or null if it is none of {@link VectorFormat}. */
  static @Nullable VectorLanes of(TensorType type) {
    return BY_TYPE[type.ordinal()];
  }

  /** Returns the size of a group, in bytes. */
  long groupBytes(long columns) {
    return columns / blockLength * blockWords * 4;
  }

  /** Returns the size of what comes before the integers in a chunk, in bytes. */
  long headBytes(int columns) {
    return columns / blockLength * headWords * 4L;
  }

  /** Packs rows; rowBegin is the first of a group. */
  void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    Scratch scratch = SCRATCH.get();
    int longest = (int) (groupBytes(CHUNK) / 4);
    if (scratch.words.length < longest) {
      scratch.words = new int[longest];
    }
    for (long row = rowBegin; row < rowEnd; row += ROWS) {
      int rows = (int) Math.min(ROWS, rowEnd - row);
      long to = row / ROWS * groupBytes(source.columns());
      for (long column = 0; column < source.columns(); column += CHUNK) {
        int columns = (int) Math.min(CHUNK, source.columns() - column);
        int words = (int) (groupBytes(columns) / 4);
        Arrays.fill(scratch.words, 0, words, 0);
        for (int lane = 0; lane < rows; lane++) {
          packRow(source, row + lane, column, columns, scratch, lane);
        }
        MemorySegment.copy(scratch.words, 0, target, JAVA_INT, to, words);
        to += 4L * words;
      }
    }
  }

  private void packRow(
      Matrix source, long row, long column, int columns, Scratch scratch, int lane) {
    int bytes = format.type.blockBytes();
    int blocks = columns / blockLength;
    int integers = (int) (headBytes(columns) / 4) + lane;
    int blockIntegers = blockWords - headWords;
    long from = source.rowOffset(row) + column / blockLength * bytes;
    for (int block = 0; block < blocks; block++) {
      MemorySegment.copy(
          source.segment(), JAVA_BYTE, from + (long) block * bytes, scratch.stored, 0, bytes);
      format.read(scratch.stored, scratch.block);
      packHead(scratch.block, scratch.words, block, blocks, lane);
      packIntegers(scratch.block.q, scratch.words, integers + block * blockIntegers);
    }
  }

  private void packHead(VectorBlock block, int[] words, int index, int blocks, int lane) {
    put16(words, index * L, lane, block.scale);
    int at = blocks * L;
    if (format.hasMinimums) {
      put16(words, at + index * L, lane, block.minimum);
      at += blocks * L;
    }
    if (format.hasGroups) {
      put8(words, at + lane, block.scales);
      if (format.hasMinimums) {
        put8(words, at + groupsPerBlock / 4 * ROWS + lane, block.minimums);
      }
    }
  }

  /** Puts 16 bits of a row into the word that it shares with another. */
  private static void put16(int[] words, int index, int lane, int bits) {
    words[index + lane / 2] |= bits << lane % 2 * 16;
  }

  private void put8(int[] words, int index, int[] values) {
    for (int group = 0; group < groupsPerBlock; group++) {
      words[index + group / 4 * ROWS] |= (values[group] & 0xFF) << group % 4 * 8;
    }
  }

  private void packIntegers(int[] q, int[] words, int index) {
    for (int i = 0, at = index; i < blockLength; i += 16, at += format.bits.words * ROWS) {
      switch (format.bits) {
        case NIBBLES -> {
          words[at] = nibbles(q, i);
          words[at + ROWS] = nibbles(q, i + 8);
        }
        case SIX -> {
          words[at] = sixes(q, i) | (pair(q, i + 12) & 0x000F000F) << 12;
          words[at + ROWS] = sixes(q, i + 4) | (pair(q, i + 14) & 0x000F000F) << 12;
          words[at + 2 * ROWS] =
              sixes(q, i + 8)
                  | (pair(q, i + 12) & 0x00300030) << 8
                  | (pair(q, i + 14) & 0x00300030) << 10;
        }
        case BYTES -> {
          words[at] = bytes(q, i);
          words[at + ROWS] = bytes(q, i + 4);
          words[at + 2 * ROWS] = bytes(q, i + 8);
          words[at + 3 * ROWS] = bytes(q, i + 12);
        }
      }
    }
  }

  /** Returns eight columns. */
  private static int nibbles(int[] q, int i) {
    return pair(q, i) | pair(q, i + 2) << 4 | pair(q, i + 4) << 8 | pair(q, i + 6) << 12;
  }

  /** Returns four columns. */
  private static int sixes(int[] q, int i) {
    return pair(q, i) | pair(q, i + 2) << 6;
  }

  /** Returns two columns, one at the bottom of either half. */
  private static int pair(int[] q, int i) {
    return q[i] | q[i + 1] << 16;
  }

  private static int bytes(int[] q, int i) {
    int signed = q[i] & 0xFF | (q[i + 2] & 0xFF) << 8 | (q[i + 1] & 0xFF) << 16 | q[i + 3] << 24;
    return signed ^ 0x80808080;
  }
}
