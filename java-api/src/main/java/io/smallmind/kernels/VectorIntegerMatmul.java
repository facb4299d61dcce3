package io.smallmind.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.OffHeap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Many rows of activations times packed weights of four or six bits: panels of weights unpacked to
 * 16-bit integers once, then multiplied by pairs of columns as {@link VectorDots} does, three rows
 * at a time. A vector of 16-bit products is twice as long as one of F32 ones, and a row's results
 * have the same bits as those of a few rows.
 */
final class VectorIntegerMatmul {
  private static final VectorSpecies<Float> F = VectorTile.S;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final VectorSpecies<Byte> B = ByteVector.SPECIES_PREFERRED;
  private static final int L = VectorLanes.L;
  private static final int PANEL = VectorLanes.ROWS;
  private static final int CHUNK = VectorLanes.CHUNK;

  /** Rows of activations that read a panel's chunk from the first-level cache. */
  private static final int ROWS = 12;

  /** Rows that are multiplied at once. */
  private static final int THREE = 3;

  /**
   * Columns that are added up before results go back to memory: in groups of 16, as many as {@link
   * #rowSums} has room for; a multiple of {@link #CHUNK}.
   */
  private static final int DEPTH = 16 * VectorProduct.A_STRIDE;

  /** Panels in the second-level cache. */
  private static final int PANELS = 256 / PANEL;

  /**
   * Distance of rows in {@link #pairs}, not a power of two so that they don't compete for lines.
   */
  private static final int STRIDE = DEPTH / 2 + 16;

  /** Distance of rows in {@link #rowScales}. */
  private static final int BLOCKS = DEPTH / Kernels.ACTIVATION_BLOCK;

  /** Bytes of an unpacked chunk. */
  private static final long CHUNK_BYTES = 2L * CHUNK * PANEL;

  private static final ThreadLocal<VectorIntegerMatmul> OF_THREAD =
      ThreadLocal.withInitial(VectorIntegerMatmul::new);

  /**
   * Unpacked weights (panels, chunks, columns / 2, PANEL): off the heap, since arrays lie at
   * multiples of 8 bytes, and vectors that cross cache lines cost a third of the speed.
   */
  private final MemorySegment weights =
      Arena.ofAuto().allocate(PANELS * DEPTH / CHUNK * CHUNK_BYTES, 64);

  /** Scales of each panel's chunks. */
  private final VectorScales[] scales = new VectorScales[PANELS * DEPTH / CHUNK];

  /** Activations, pairs of columns (ROWS, STRIDE). */
  private final int[] pairs = new int[ROWS * STRIDE];

  private final float[] rowScales = new float[ROWS * BLOCKS];

  /**
   * Scaled sums of the activations by groups of the weights, negative, if those have minimums: what
   * minimums are multiplied by (ROWS, {@link VectorProduct#A_STRIDE}).
   */
  private final float[] rowSums = new float[ROWS * VectorProduct.A_STRIDE];

  private final float[] product = new float[ROWS * PANEL];

  private VectorIntegerMatmul() {
    for (int i = 0; i < scales.length; i++) {
      scales[i] = new VectorScales();
    }
  }

  /** Whether weights of a format are multiplied here. */
  static boolean takes(VectorFormat format) {
    return format.bits != VectorFormat.Bits.BYTES; // 16 bits hold only two of their products
  }

  /** Computes what {@link Kernels#matmul} says, for packed weights. */
  static void matmul(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      VectorLanes lanes,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    VectorIntegerMatmul of = OF_THREAD.get();
    for (long j = wRowBegin; j < wRowEnd; j += PANELS * PANEL) {
      int columns = (int) Math.min(PANELS * PANEL, wRowEnd - j);
      for (long p = 0; p < w.columns(); p += DEPTH) {
        int depth = (int) Math.min(DEPTH, w.columns() - p);
        of.unpack(w, lanes, j, columns, p, depth);
        for (long i = xRowBegin; i < xRowEnd; i += ROWS) {
          int rows = (int) Math.min(ROWS, xRowEnd - i);
          for (int row = 0; row < rows; row++) {
            of.loadRow(x, i + row, lanes.format, p, depth, row);
          }
          for (int q = 0; q < columns; q += PANEL) {
            of.multiply(
                lanes.format,
                rows,
                q / PANEL,
                depth,
                p == 0,
                y,
                y.rowOffset(i) + 4 * (j + q),
                Math.min(PANEL, columns - q));
          }
        }
      }
    }
  }

  private void unpack(PackedWeights w, VectorLanes lanes, long j, int columns, long p, int depth) {
    for (int q = 0; q < columns; q += PANEL) {
      long at = (j + q) / PANEL * lanes.groupBytes(w.columns()) + lanes.groupBytes(p);
      for (int i = 0; i < depth; i += CHUNK) {
        int length = Math.min(CHUNK, depth - i);
        int index = q / PANEL * (DEPTH / CHUNK) + i / CHUNK;
        scales[index].load(lanes.format, w.segment(), at, length);
        VectorPanels.unpack(
            lanes.format,
            w.segment(),
            at + lanes.headBytes(length),
            length,
            weights,
            index * CHUNK_BYTES);
        at += lanes.groupBytes(length);
      }
    }
  }

  private void loadRow(
      Activations x, long row, VectorFormat format, long column, int length, int to) {
    VectorActivations.copy(x, row, column, length, pairs, to * STRIDE, rowScales, to * BLOCKS);
    if (format.hasMinimums) {
      VectorActivations.copyNegativeSums(
          x, row, column, length, format.groupLength, rowSums, to * VectorProduct.A_STRIDE);
    }
  }

  /** Adds the products of rows and a panel to what is in y, unless they are the first. */
  private void multiply(
      VectorFormat format,
      int rows,
      int panel,
      int depth,
      boolean first,
      Matrix y,
      long at,
      int columns) {
    loadProduct(rows, first, y, at, columns);
    for (int i = 0; i < depth; i += CHUNK) {
      int length = Math.min(CHUNK, depth - i);
      int index = panel * (DEPTH / CHUNK) + i / CHUNK;
      long from = index * CHUNK_BYTES;
      if (format.hasMinimums) {
        VectorProduct.addTwelve(
            rowSums,
            i / format.groupLength,
            length / format.groupLength,
            scales[index].minimum,
            0,
            PANEL,
            product,
            0,
            PANEL);
      }
      for (int row = 0; row < rows; row += THREE) {
        three(
            weights,
            from,
            from + 2L * length * PANEL,
            pairs,
            row * STRIDE + i / 2,
            rowScales,
            row * BLOCKS + i / Kernels.ACTIVATION_BLOCK,
            scales[index].scale,
            format.groupLength / 32,
            product,
            row * PANEL);
      }
    }
    storeProduct(rows, y, at, columns);
  }

  private void loadProduct(int rows, boolean first, Matrix y, long at, int columns) {
    if (first) {
      Arrays.fill(product, 0);
      return;
    }
    MemorySegment memory = OffHeap.of(y.segment());
    for (int row = 0; row < rows; row++) {
      if (columns == PANEL) {
        FloatVector.fromMemorySegment(F, memory, at, LITTLE_ENDIAN).intoArray(product, row * PANEL);
        FloatVector.fromMemorySegment(F, memory, at + 4L * L, LITTLE_ENDIAN)
            .intoArray(product, row * PANEL + L);
      } else {
        MemorySegment.copy(memory, JAVA_FLOAT_UNALIGNED, at, product, row * PANEL, columns);
      }
      at += y.rowStride();
    }
  }

  private void storeProduct(int rows, Matrix y, long at, int columns) {
    MemorySegment memory = OffHeap.of(y.segment());
    for (int row = 0; row < rows; row++) {
      if (columns == PANEL) {
        FloatVector.fromArray(F, product, row * PANEL).intoMemorySegment(memory, at, LITTLE_ENDIAN);
        FloatVector.fromArray(F, product, row * PANEL + L)
            .intoMemorySegment(memory, at + 4L * L, LITTLE_ENDIAN);
      } else {
        MemorySegment.copy(product, row * PANEL, memory, JAVA_FLOAT_UNALIGNED, at, columns);
      }
      at += y.rowStride();
    }
  }

  /**
   * Adds the products of a chunk of a panel and three rows. Sums of eight products fit 16 bits (32
   * · 127 · 8 at most).
   *
   * <p>Lines repeat for the reasons that {@link VectorDots} gives. There is little room for more of
   * them: with ten pairs of columns, or four rows, the JVM's first compiler runs out of virtual
   * registers, after which the second never gets the method.
   *
   * @param from of the unpacked weights, in bytes, to end
   * @param x of the first row; the others follow at {@link #STRIDE}
   * @param share as a shift: how many halves of a block share a scale of the weights
   * @param out (3, PANEL) sums
   */
  private static void three(
      MemorySegment w,
      long from,
      long end,
      int[] pairs,
      int x,
      float[] rowScale,
      int rowScaleAt,
      float[] scale,
      int share,
      float[] out,
      int to) {
    w = OffHeap.of(w);
    int i = 0;
    while (from != end) {
      ShortVector w0a =
          ByteVector.fromMemorySegment(B, w, from, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w0b =
          ByteVector.fromMemorySegment(B, w, from + 4L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x00 = IntVector.broadcast(I, pairs[x]).reinterpretAsShorts();
      ShortVector s0a = w0a.mul(x00);
      ShortVector s0b = w0b.mul(x00);
      ShortVector x01 = IntVector.broadcast(I, pairs[x + STRIDE]).reinterpretAsShorts();
      ShortVector s1a = w0a.mul(x01);
      ShortVector s1b = w0b.mul(x01);
      ShortVector x02 = IntVector.broadcast(I, pairs[x + 2 * STRIDE]).reinterpretAsShorts();
      ShortVector s2a = w0a.mul(x02);
      ShortVector s2b = w0b.mul(x02);
      ShortVector w1a =
          ByteVector.fromMemorySegment(B, w, from + 8L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w1b =
          ByteVector.fromMemorySegment(B, w, from + 12L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x10 = IntVector.broadcast(I, pairs[x + 1]).reinterpretAsShorts();
      s0a = s0a.add(w1a.mul(x10));
      s0b = s0b.add(w1b.mul(x10));
      ShortVector x11 = IntVector.broadcast(I, pairs[x + 1 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w1a.mul(x11));
      s1b = s1b.add(w1b.mul(x11));
      ShortVector x12 = IntVector.broadcast(I, pairs[x + 1 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w1a.mul(x12));
      s2b = s2b.add(w1b.mul(x12));
      ShortVector w2a =
          ByteVector.fromMemorySegment(B, w, from + 16L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w2b =
          ByteVector.fromMemorySegment(B, w, from + 20L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x20 = IntVector.broadcast(I, pairs[x + 2]).reinterpretAsShorts();
      s0a = s0a.add(w2a.mul(x20));
      s0b = s0b.add(w2b.mul(x20));
      ShortVector x21 = IntVector.broadcast(I, pairs[x + 2 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w2a.mul(x21));
      s1b = s1b.add(w2b.mul(x21));
      ShortVector x22 = IntVector.broadcast(I, pairs[x + 2 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w2a.mul(x22));
      s2b = s2b.add(w2b.mul(x22));
      ShortVector w3a =
          ByteVector.fromMemorySegment(B, w, from + 24L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w3b =
          ByteVector.fromMemorySegment(B, w, from + 28L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x30 = IntVector.broadcast(I, pairs[x + 3]).reinterpretAsShorts();
      s0a = s0a.add(w3a.mul(x30));
      s0b = s0b.add(w3b.mul(x30));
      ShortVector x31 = IntVector.broadcast(I, pairs[x + 3 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w3a.mul(x31));
      s1b = s1b.add(w3b.mul(x31));
      ShortVector x32 = IntVector.broadcast(I, pairs[x + 3 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w3a.mul(x32));
      s2b = s2b.add(w3b.mul(x32));
      ShortVector w4a =
          ByteVector.fromMemorySegment(B, w, from + 32L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w4b =
          ByteVector.fromMemorySegment(B, w, from + 36L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x40 = IntVector.broadcast(I, pairs[x + 4]).reinterpretAsShorts();
      s0a = s0a.add(w4a.mul(x40));
      s0b = s0b.add(w4b.mul(x40));
      ShortVector x41 = IntVector.broadcast(I, pairs[x + 4 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w4a.mul(x41));
      s1b = s1b.add(w4b.mul(x41));
      ShortVector x42 = IntVector.broadcast(I, pairs[x + 4 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w4a.mul(x42));
      s2b = s2b.add(w4b.mul(x42));
      ShortVector w5a =
          ByteVector.fromMemorySegment(B, w, from + 40L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w5b =
          ByteVector.fromMemorySegment(B, w, from + 44L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x50 = IntVector.broadcast(I, pairs[x + 5]).reinterpretAsShorts();
      s0a = s0a.add(w5a.mul(x50));
      s0b = s0b.add(w5b.mul(x50));
      ShortVector x51 = IntVector.broadcast(I, pairs[x + 5 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w5a.mul(x51));
      s1b = s1b.add(w5b.mul(x51));
      ShortVector x52 = IntVector.broadcast(I, pairs[x + 5 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w5a.mul(x52));
      s2b = s2b.add(w5b.mul(x52));
      ShortVector w6a =
          ByteVector.fromMemorySegment(B, w, from + 48L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w6b =
          ByteVector.fromMemorySegment(B, w, from + 52L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x60 = IntVector.broadcast(I, pairs[x + 6]).reinterpretAsShorts();
      s0a = s0a.add(w6a.mul(x60));
      s0b = s0b.add(w6b.mul(x60));
      ShortVector x61 = IntVector.broadcast(I, pairs[x + 6 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w6a.mul(x61));
      s1b = s1b.add(w6b.mul(x61));
      ShortVector x62 = IntVector.broadcast(I, pairs[x + 6 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w6a.mul(x62));
      s2b = s2b.add(w6b.mul(x62));
      ShortVector w7a =
          ByteVector.fromMemorySegment(B, w, from + 56L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector w7b =
          ByteVector.fromMemorySegment(B, w, from + 60L * L, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector x70 = IntVector.broadcast(I, pairs[x + 7]).reinterpretAsShorts();
      s0a = s0a.add(w7a.mul(x70));
      s0b = s0b.add(w7b.mul(x70));
      ShortVector x71 = IntVector.broadcast(I, pairs[x + 7 + STRIDE]).reinterpretAsShorts();
      s1a = s1a.add(w7a.mul(x71));
      s1b = s1b.add(w7b.mul(x71));
      ShortVector x72 = IntVector.broadcast(I, pairs[x + 7 + 2 * STRIDE]).reinterpretAsShorts();
      s2a = s2a.add(w7a.mul(x72));
      s2b = s2b.add(w7b.mul(x72));
      int group = (i >> share) * PANEL;
      FloatVector da = FloatVector.fromArray(F, scale, group);
      FloatVector db = FloatVector.fromArray(F, scale, group + L);
      int block = rowScaleAt + i / 2;
      float d0 = rowScale[block];
      IntVector both0a = s0a.reinterpretAsInts();
      ((FloatVector)
              both0a
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both0a.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(da.mul(d0), FloatVector.fromArray(F, out, to))
          .intoArray(out, to);
      IntVector both0b = s0b.reinterpretAsInts();
      ((FloatVector)
              both0b
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both0b.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(db.mul(d0), FloatVector.fromArray(F, out, to + L))
          .intoArray(out, to + L);
      float d1 = rowScale[block + BLOCKS];
      IntVector both1a = s1a.reinterpretAsInts();
      ((FloatVector)
              both1a
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both1a.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(da.mul(d1), FloatVector.fromArray(F, out, to + 2 * L))
          .intoArray(out, to + 2 * L);
      IntVector both1b = s1b.reinterpretAsInts();
      ((FloatVector)
              both1b
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both1b.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(db.mul(d1), FloatVector.fromArray(F, out, to + 3 * L))
          .intoArray(out, to + 3 * L);
      float d2 = rowScale[block + 2 * BLOCKS];
      IntVector both2a = s2a.reinterpretAsInts();
      ((FloatVector)
              both2a
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both2a.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(da.mul(d2), FloatVector.fromArray(F, out, to + 4 * L))
          .intoArray(out, to + 4 * L);
      IntVector both2b = s2b.reinterpretAsInts();
      ((FloatVector)
              both2b
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(both2b.lanewise(VectorOperators.ASHR, 16))
                  .convertShape(VectorOperators.I2F, F, 0))
          .fma(db.mul(d2), FloatVector.fromArray(F, out, to + 5 * L))
          .intoArray(out, to + 5 * L);
      x += 8;
      i++;
      from += 64L * L;
    }
  }
}
