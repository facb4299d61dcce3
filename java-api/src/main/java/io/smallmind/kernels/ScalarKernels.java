package io.smallmind.kernels;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/** In work. */
final class ScalarKernels implements Kernels {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void gemm( boolean transposeA, boolean transposeB, long m, long n, long k, float alpha, MemorySegment a, long aOffset, long lda, MemorySegment b, long bOffset, long ldb, float beta, MemorySegment c, long cOffset, long ldc) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int rowGroup(TensorType type) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long packedBytes(TensorType type, long rows, long columns) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long activationRowBytes(long columns) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void quantize(Activations x, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void matmul( Activations x, long xRowBegin, long xRowEnd, PackedWeights w, long wRowBegin, long wRowEnd, Matrix y) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void binary( BinaryOp op, MemorySegment a, long aOffset, MemorySegment b, long bOffset, MemorySegment out, long outOffset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void unary( UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void scale( float factor, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void layerNorm( Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void rmsNorm( Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void rope( RopePairing pairing, MemorySegment x, long xOffset, long heads, long headDim, long rotaryDim, MemorySegment table, long tableOffset) {
    throw new UnsupportedOperationException();
  }
}
