package io.smallmind.bench;

import io.smallmind.error.BadArgumentException;
import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.KvPages;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * Kernels of which one takes longer by a given share than it does: for tests of {@code compare},
 * which must find such a change. The property {@value #PROPERTY} asks for it, as in {@code
 * matmul:10}, for every backend.
 */
final class SlowedKernels implements Kernels {
  static final String PROPERTY = "smallmind.bench.slow";

  private static final Set<String> KNOWN = Set.of("gemm", "matmul", "attention", "rmsNorm");
  private static final double PERCENT = 100;

  private final Kernels right;
  private final String slowed;
  private final double share;

  private SlowedKernels(Kernels right, String slowed, double share) {
    this.right = right;
    this.slowed = slowed;
    this.share = share;
  }

  /** Returns the candidates as they are, or slowed where the property asks for it. */
  static List<Candidate> where(List<Candidate> candidates) {
    String wanted = System.getProperty(PROPERTY, "");
    if (wanted.isEmpty()) {
      return candidates;
    }
    String[] parts = wanted.split(":", -1);
    if (parts.length != 2 || !KNOWN.contains(parts[0])) {
      throw new BadArgumentException(PROPERTY + "=" + wanted + ": say KERNEL:PERCENT, of " + KNOWN);
    }
    double share = Double.parseDouble(parts[1]) / PERCENT;
    return candidates.stream().map(one -> slowed(one, parts[0], share)).toList();
  }

  private static Candidate slowed(Candidate candidate, String kernel, double share) {
    Kernels kernels = candidate.kernels();
    return kernels == null
        ? candidate
        : Candidate.available(
            candidate.rank(), new SlowedKernels(kernels, kernel, share), candidate.detail());
  }

  private long begin() {
    return System.nanoTime();
  }

  /** Takes longer by the share of what a kernel has taken, if it is the one. */
  private void end(String kernel, long begin) {
    if (kernel.equals(slowed)) {
      long now = System.nanoTime();
      long until = now + Math.round(share * (now - begin));
      while (System.nanoTime() < until) {
        Thread.onSpinWait();
      }
    }
  }

  @Override
  public String layout() {
    return right.layout();
  }

  @Override
  public String name() {
    return right.name();
  }

  @Override
  public String status() {
    return right.status();
  }

  @Override
  public void gemm(
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
      long ldc) {
    long begin = begin();
    right.gemm(
        transposeA,
        transposeB,
        m,
        n,
        k,
        alpha,
        a,
        aOffset,
        lda,
        b,
        bOffset,
        ldb,
        beta,
        c,
        cOffset,
        ldc);
    end("gemm", begin);
  }

  @Override
  public int rowGroup(TensorType type) {
    return right.rowGroup(type);
  }

  @Override
  public long packedBytes(TensorType type, long rows, long columns) {
    return right.packedBytes(type, rows, columns);
  }

  @Override
  public void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    right.pack(source, target, rowBegin, rowEnd);
  }

  @Override
  public long activationRowBytes(long columns) {
    return right.activationRowBytes(columns);
  }

  @Override
  public void quantize(Activations x, long rowBegin, long rowEnd) {
    right.quantize(x, rowBegin, rowEnd);
  }

  @Override
  public void matmul(
      Activations x,
      long xRowBegin,
      long xRowEnd,
      PackedWeights w,
      long wRowBegin,
      long wRowEnd,
      Matrix y) {
    long begin = begin();
    right.matmul(x, xRowBegin, xRowEnd, w, wRowBegin, wRowEnd, y);
    end("matmul", begin);
  }

  @Override
  public void binary(
      BinaryOp op,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    right.binary(op, a, aOffset, b, bOffset, out, outOffset, length);
  }

  @Override
  public void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    right.unary(op, in, inOffset, out, outOffset, length);
  }

  @Override
  public void gate(
      UnaryOp op,
      Matrix gate,
      Matrix up,
      long rowBegin,
      long rowEnd,
      long columnBegin,
      long columnEnd) {
    right.gate(op, gate, up, rowBegin, rowEnd, columnBegin, columnEnd);
  }

  @Override
  public void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    right.scale(factor, in, inOffset, out, outOffset, length);
  }

  @Override
  public float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    return right.dot(a, aOffset, b, bOffset, length);
  }

  @Override
  public void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    right.softmax(in, out, rowBegin, rowEnd);
  }

  @Override
  public void layerNorm(
      Matrix in,
      Matrix weight,
      Matrix bias,
      float epsilon,
      Matrix out,
      long rowBegin,
      long rowEnd) {
    right.layerNorm(in, weight, bias, epsilon, out, rowBegin, rowEnd);
  }

  @Override
  public void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    long begin = begin();
    right.rmsNorm(in, weight, epsilon, out, rowBegin, rowEnd);
    end("rmsNorm", begin);
  }

  @Override
  public void rope(
      RopePairing pairing,
      MemorySegment x,
      long xOffset,
      long heads,
      long headDim,
      long rotaryDim,
      MemorySegment table,
      long tableOffset) {
    right.rope(pairing, x, xOffset, heads, headDim, rotaryDim, table, tableOffset);
  }

  @Override
  public void storeKeyValue(
      Matrix k,
      Matrix v,
      long rowBegin,
      long rowEnd,
      long position,
      KvPages kv,
      int layer,
      int kvHeadBegin,
      int kvHeadEnd) {
    right.storeKeyValue(k, v, rowBegin, rowEnd, position, kv, layer, kvHeadBegin, kvHeadEnd);
  }

  @Override
  public double productCost(TensorType type) {
    return right.productCost(type);
  }

  @Override
  public void attention(
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
    long begin = begin();
    right.attention(
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
    end("attention", begin);
  }
}
