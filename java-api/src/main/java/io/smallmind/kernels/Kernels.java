package io.smallmind.kernels;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * What a backend can do: single-threaded functions over ranges of rows, without checks and without
 * allocation, on off-heap memory. {@link Team} spreads the ranges over threads.
 *
 * <p>{@link ScalarKernels} is the specification: every other implementation gives its results up to
 * the rounding of sums. All of them are stateless and thread-safe; threads that work at the same
 * time must write to different ranges. A segment must stay alive during a call; whoever calls holds
 * it (see {@link io.smallmind.tensor.Memory#acquire}).
 *
 * <p>Offsets and row strides are in bytes, lengths and leading dimensions in elements. Every
 * parameter was checked at the door: an implementation may trust it. Outputs may be the same memory
 * as an input of the same shape where a method says "in place"; otherwise they must not overlap.
 */
public interface Kernels {
  /** Returns the name by which this implementation is chosen, such as {@code native-avx2}. */
  String name();

  /**
   * Returns what this implementation works with at this moment beyond what its {@link Candidate}
   * says, such as a library that it loads when needed; empty if there is nothing to say.
   */
  default String status() {
    return "";
  }

  /**
   * Returns the name and version of what {@link #pack} makes: packed weights that were kept are
   * read only by who returns the same.
   */
  String layout();

  // ---- FP32 gemm

  /**
   * Computes C = alpha · op(A) · op(B) + beta · C in F32, where op(X) is X or its transpose.
   *
   * <p>All matrices are row-major. With beta = 0, C is not read: it may hold NaN.
   *
   * @param transposeA A is stored as (k, m) rather than (m, k)
   * @param transposeB B is stored as (n, k) rather than (k, n)
   * @param m rows of C
   * @param n columns of C
   * @param k length of the sums; with k = 0, C is only scaled by beta
   * @param lda distance of A's stored rows, in elements; likewise ldb and ldc
   */
  void gemm(
      boolean transposeA,
      boolean transposeB,
      long m,
      long n,
      long k,
      float alpha,
      MemorySegment a,
      long aOffset,
      long lda,
      MemorySegment b,
      long bOffset,
      long ldb,
      float beta,
      MemorySegment c,
      long cOffset,
      long ldc);

  // ---- y = x · dequant(W)ᵀ

  /**
   * Returns how many consecutive rows of weights of this type must stay together when {@link #pack}
   * or {@link #matmul} is split: ranges of rows begin at multiples of it, and end at such or at the
   * last row.
   */
  int rowGroup(TensorType type);

  /**
   * Returns the size of weights in this backend's layout, in bytes, or 0 if it multiplies them as
   * they are stored in the file, so that packing would gain nothing.
   *
   * @param columns a multiple of the type's block length
   */
  long packedBytes(TensorType type, long rows, long columns);

  /**
   * Lays a range of rows of weights out the way {@link #matmul} reads them fastest. The values
   * stay, bit for bit, those of the source's codec. Groups of {@link #rowGroup} rows lie one behind
   * the other, each as if it were a matrix by itself.
   *
   * @param source weights of any type with a codec
   * @param target {@link #packedBytes} bytes for the whole matrix, aligned to 64 bytes
   */
  void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd);

  /**
   * Returns the size of one row of quantized activations in this backend's layout, in bytes: a
   * multiple of 64.
   *
   * @param columns any length; a last block that is not full counts as filled with zeros
   */
  long activationRowBytes(long columns);

  /**
   * Quantizes a range of rows of activations, once for all the matmuls that read them.
   *
   * <p>Each block of {@value #ACTIVATION_BLOCK} consecutive values x has the F32 scale d = max|x| /
   * 127 and the integers q = round(x · (127 / max|x|)), ties to even. If max|x| is below {@value
   * #ACTIVATION_TINY}, d and all q are 0; if any x is not finite, d is NaN and all q are 0, so that
   * it shows in every product. Rounding is in F32.
   *
   * @param x activations; fills {@code x.quantized} from {@code x.source}
   */
  void quantize(Activations x, long rowBegin, long rowEnd);

  /** The number of activations that share a scale. */
  int ACTIVATION_BLOCK = 32;

  /** The largest activation of a block below this counts as zero. */
  float ACTIVATION_TINY = 0x1p-100f;

  /**
   * Computes a block of y = x · dequant(W)ᵀ: {@code y[i][j] = Σ x[i][k] · w[j][k]} for every i in
   * the range of x's rows, and j in the range of W's rows.
   *
   * <p>With quantized weights, x means the quantized activations, and their {@link #quantize} must
   * have come before; with F32 and F16 weights it means the F32 source, with BF16 ones the source
   * rounded to BF16 (nearest, ties to even), as the dot products of processors take it.
   *
   * @param x activations (rows, K)
   * @param w weights (N, K) as this backend's {@link #pack} made them, or as stored
   * @param y receives (rows, N) in F32; its row i belongs to x's row i
   */
  void matmul(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      long wRowBegin,
      long wRowEnd,
      Matrix y);

  // ---- Element by element; in place allowed

  /** Computes out[i] = a[i] + b[i] or out[i] = a[i] · b[i], in F32. */
  void binary(
      BinaryOp op,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length);

  /**
   * Applies a function to every value, in F32, with an error of at most 4 units in the last place
   * or 1e-7, whichever is larger, against the exact function.
   */
  void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length);

  /**
   * Lets up pass through a gate: gate[i][j] becomes op(gate[i][j]) · up[i][j] for rows and columns
   * in a range, with the bits that {@link #unary} and {@link #binary} give.
   *
   * @param gate (rows, columns) F32, changed in place
   * @param up likewise, of the same shape
   */
  default void gate(
      UnaryOp op,
      Matrix gate,
      Matrix up,
      long rowBegin,
      long rowEnd,
      long columnBegin,
      long columnEnd) {
    long length = columnEnd - columnBegin;
    for (long row = rowBegin; row < rowEnd; row++) {
      MemorySegment x = gate.segment();
      long at = gate.rowOffset(row) + Float.BYTES * columnBegin;
      unary(op, x, at, x, at, length);
      long upAt = up.rowOffset(row) + Float.BYTES * columnBegin;
      binary(BinaryOp.MULTIPLY, x, at, up.segment(), upAt, x, at, length);
    }
  }

  /** Computes out[i] = factor · in[i]. */
  void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length);

  /** Returns Σ a[i] · b[i]. */
  float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length);

  // ---- Row by row; in place allowed

  /**
   * Computes out = exp(in - max) / Σ exp(in - max) for each row of F32 matrices of one shape. A row
   * whose maximum is -∞ or NaN becomes NaN.
   */
  void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd);

  /**
   * Computes out = (in - mean) / √(variance + epsilon) · weight + bias for each row, with the
   * biased variance (Ba et al. 2016).
   *
   * @param weight (1, columns) F32
   * @param bias (1, columns) F32
   */
  void layerNorm(
      Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out, long rowBegin, long rowEnd);

  /**
   * Computes out = in / √(mean(in²) + epsilon) · weight for each row (Zhang and Sennrich 2019), for
   * magnitudes up to 1e18; the squares of larger ones may overflow.
   *
   * @param weight (1, columns) F32
   */
  void rmsNorm(Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd);

  /**
   * Rotates the heads of one token in place by its position (Su et al. 2021): the pair (a, b)
   * becomes (a·cos − b·sin, a·sin + b·cos).
   *
   * @param pairing which two values of a head form a pair
   * @param x (heads, headDim) F32, contiguous
   * @param rotaryDim how many leading values of each head are rotated: even, at most headDim
   * @param table (2, rotaryDim / 2) F32: the cosines of the position's angles, then the sines
   */
  void rope(
      RopePairing pairing,
      MemorySegment x,
      long xOffset,
      long heads,
      long headDim,
      long rotaryDim,
      MemorySegment table,
      long tableOffset);

  // ---- Attention

  /**
   * Encodes the keys and values of consecutive tokens of one session into its pages.
   *
   * @param k (rows, kvHeads · headDim) F32; row i stands at position {@code position + i −
   *     rowBegin}
   * @param v likewise
   * @param kv has room for these positions
   * @param kvHeadBegin first head to store; likewise kvHeadEnd
   */
  default void storeKeyValue(
      Matrix k,
      Matrix v,
      long rowBegin,
      long rowEnd,
      long position,
      KvPages kv,
      int layer,
      int kvHeadBegin,
      int kvHeadEnd) {
    ScalarAttention.store(k, v, rowBegin, rowEnd, position, kv, layer, kvHeadBegin, kvHeadEnd);
  }

  /**
   * Returns what a product with a weight of this type takes in a matmul of many rows, where one of
   * {@link #attention} of many rows takes 1; by default as measured for the native kernels.
   */
  default double productCost(TensorType type) {
    return type.isQuantized() ? 0.33 : type == TensorType.BF16 ? 0.4 : 0.8;
  }

  /**
   * Computes causal attention of consecutive tokens of one session over its keys and values, by
   * softmax over the stream of positions (Milakov and Gimelshein 2018; Dao et al. 2022), so that
   * scores are never stored beyond a tile. Query head h reads key head h / (heads / kvHeads).
   *
   * <p>The token at position p sees the positions from max(0, p − window + 1) to p. Sums are in
   * F32, keys and values decoded to F32.
   *
   * @param q (rows, heads · headDim) F32; row i stands at position {@code position + i − rowBegin}
   * @param kv holds all positions up to the last row's
   * @param scale factor of the scores
   * @param softCap scores s become softCap · tanh(s / softCap); 0 for none
   * @param window how many positions a token sees, its own included; 0 for all
   * @param out receives (rows, heads · headDim): the heads that read the given key heads
   */
  default void attention(
      Matrix q,
      long rowBegin,
      long rowEnd,
      long position,
      KvPages kv,
      int layer,
      int kvHeadBegin,
      int kvHeadEnd,
      float scale,
      float softCap,
      long window,
      Matrix out) {
    ScalarAttention.attend(
        q,
        rowBegin,
        rowEnd,
        position,
        kv,
        layer,
        kvHeadBegin,
        kvHeadEnd,
        scale,
        softCap,
        window,
        out);
  }
}
