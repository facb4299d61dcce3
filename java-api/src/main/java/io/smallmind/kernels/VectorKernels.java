package io.smallmind.kernels;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Kernels on the Vector API, for whatever vector length the machine prefers. This class must not be
 * touched where the module jdk.incubator.vector is absent.
 */
final class VectorKernels implements Kernels {
  /** Returns this implementation if the machine's vectors have a length that it can use. */
  static Candidate candidate() {
    int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    if (bits != 128 && bits != 256 && bits != 512) {
      return Candidate.missing(
          "vector",
          100,
          "this JVM prefers vectors of "
              + bits
              + " bits, supported are 128, 256 and 512; set -XX:MaxVectorSize if the machine has"
              + " longer ones",
          null);
    }
    return Candidate.available(100, new VectorKernels(), "Vector API, " + bits + " bits");
  }

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public String layout() {
    return name() + " " + VectorLanes.VERSION + ", " + VectorLanes.ROWS + " rows";
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
    VectorGemm.gemm(
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
    return VectorLanes.ROWS;
  }

  @Override
  public long packedBytes(TensorType type, long rows, long columns) {
    VectorLanes lanes = VectorLanes.of(type);
    long groups = (rows + VectorLanes.ROWS - 1) / VectorLanes.ROWS;
    if (lanes != null) {
      return groups * lanes.groupBytes(columns);
    }
    return type.isQuantized() ? 0 : groups * VectorFloats.groupBytes(type, columns);
  }

  @Override
  public void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    VectorLanes lanes = VectorLanes.of(source.type());
    if (lanes != null) {
      lanes.pack(source, target, rowBegin, rowEnd);
    } else if (!source.type().isQuantized()) {
      VectorFloats.pack(source, target, rowBegin, rowEnd);
    } else {
      throw new IllegalArgumentException(source.type() + " is multiplied as it is stored");
    }
  }

  @Override
  public long activationRowBytes(long columns) {
    return VectorActivations.rowBytes(columns);
  }

  @Override
  public void quantize(Activations x, long rowBegin, long rowEnd) {
    VectorActivations.quantize(x, rowBegin, rowEnd);
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
    VectorMatmul.matmul(x, xRowBegin, xRowEnd, w, wRowBegin, wRowEnd, y);
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
    VectorElementwise.binary(op, a, aOffset, b, bOffset, out, outOffset, length);
  }

  @Override
  public void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    VectorElementwise.unary(op, in, inOffset, out, outOffset, length);
  }

  @Override
  public void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    VectorElementwise.scale(factor, in, inOffset, out, outOffset, length);
  }

  @Override
  public float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    return VectorElementwise.dot(a, aOffset, b, bOffset, length);
  }

  @Override
  public void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    VectorRows.softmax(in, out, rowBegin, rowEnd);
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
    VectorRows.layerNorm(in, weight, bias, epsilon, out, rowBegin, rowEnd);
  }

  @Override
  public void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    VectorRows.rmsNorm(in, weight, epsilon, out, rowBegin, rowEnd);
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
    VectorRows.rope(pairing, x, xOffset, heads, headDim, rotaryDim, table, tableOffset);
  }

  @Override
  public double productCost(TensorType type) {
    return 0.6;
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
    VectorAttention.attend(
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
