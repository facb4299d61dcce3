package io.smallmind.kernels;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.OffHeap;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Scales and minimums of one chunk of packed weights in F32, (groups, rows) row-major. */
final class VectorScales {
  private static final int L = VectorLanes.L;
  private static final int ROWS = VectorLanes.ROWS;

  private static final float[] NONE = new float[VectorLanes.MOST_GROUPS * ROWS];

  /** The scale of every group. */
  final float[] scale = new float[VectorLanes.MOST_GROUPS * ROWS];

  /** What every group subtracts: zeros where the format has no minimums. */
  float[] minimum = NONE;

  private final float[] minimums = new float[VectorLanes.MOST_GROUPS * ROWS];

  /** The scale and the minimum of a block whose groups have their own. */
  private final float[] block = new float[2 * ROWS];

  /**
   * Reads what a chunk begins with.
   *
   * @param at of the chunk, in bytes
   * @param columns length of the chunk
   */
  void load(VectorFormat format, MemorySegment w, long at, int columns) {
    minimum = format.hasMinimums ? minimums : NONE;
    if (format.hasGroups) {
      loadGroups(format, w, at);
      return;
    }
    int groups = columns / format.groupLength;
    VectorHalves.fromF16(w, at, scale, 0, groups * ROWS);
    if (format.hasMinimums) {
      VectorHalves.fromF16(w, at + 2L * ROWS * groups, minimums, 0, groups * ROWS);
    }
  }

  private void loadGroups(VectorFormat format, MemorySegment w, long at) {
    int words = VectorLanes.CHUNK / format.groupLength / 4;
    int kinds = format.hasMinimums ? 2 : 1;
    VectorHalves.fromF16(w, at, block, 0, kinds * ROWS);
    long bytes = at + 2L * ROWS * kinds;
    groups(w, bytes, words, block, 0, scale);
    if (format.hasMinimums) {
      groups(w, bytes + 4L * ROWS * words, words, block, ROWS, minimums);
    }
  }

  /** Multiplies the groups' bytes by their block's scale. */
  private static void groups(
      MemorySegment w, long at, int words, float[] block, int blockAt, float[] to) {
    w = OffHeap.of(w);
    for (int i = 0; i < 2 * words; i++) {
      IntVector bytes =
          IntVector.fromMemorySegment(VectorLanes.I, w, at + 4L * L * i, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromArray(VectorTile.S, block, blockAt + i % 2 * L);
      int index = (i / 2 * 8 + i % 2) * L;
      for (int shift = 24; shift >= 0; shift -= 8) {
        ((FloatVector)
                bytes
                    .lanewise(VectorOperators.LSHL, shift)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convertShape(VectorOperators.I2F, VectorTile.S, 0))
            .mul(d)
            .intoArray(to, index);
        index += 2 * L;
      }
    }
  }
}
