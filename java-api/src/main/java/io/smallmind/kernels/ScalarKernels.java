package io.smallmind.kernels;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * Plain Java without any flag: the specification of every operation, and the fallback when nothing
 * better can run. Reads weights as they are stored.
 */
final class ScalarKernels implements Kernels {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public String layout() {
    return name();
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
    ScalarGemm.gemm(
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
  }

  @Override
  public int rowGroup(TensorType type) {
    return 1;
  }

  @Override
  public long packedBytes(TensorType type, long rows, long columns) {
    return 0;
  }

  @Override
  public void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException("the scalar backend reads weights as they are stored");
  }

  @Override
  public long activationRowBytes(long columns) {
    return ScalarMatmul.activationRowBytes(columns);
  }

  @Override
  public void quantize(Activations x, long rowBegin, long rowEnd) {
    ScalarMatmul.quantize(x, rowBegin, rowEnd);
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
    ScalarMatmul.matmul(x, xRowBegin, xRowEnd, w, wRowBegin, wRowEnd, y);
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
    ScalarOps.binary(op, a, aOffset, b, bOffset, out, outOffset, length);
  }

  @Override
  public void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    ScalarOps.unary(op, in, inOffset, out, outOffset, length);
  }

  @Override
  public void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    ScalarOps.scale(factor, in, inOffset, out, outOffset, length);
  }

  @Override
  public float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    return ScalarOps.dot(a, aOffset, b, bOffset, length);
  }

  @Override
  public void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    ScalarOps.softmax(in, out, rowBegin, rowEnd);
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
    ScalarOps.layerNorm(in, weight, bias, epsilon, out, rowBegin, rowEnd);
  }

  @Override
  public void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    ScalarOps.rmsNorm(in, weight, epsilon, out, rowBegin, rowEnd);
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
    ScalarOps.rope(pairing, x, xOffset, heads, headDim, rotaryDim, table, tableOffset);
  }
}
