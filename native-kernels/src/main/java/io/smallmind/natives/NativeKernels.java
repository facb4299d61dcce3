package io.smallmind.natives;

import io.smallmind.error.BackendException;
import io.smallmind.kernels.Activations;
import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.KvPages;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.UnaryOp;
import io.smallmind.presets.SmallMind;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * Kernels in C++ for one instruction set, and FP32 gemm by OpenBLAS. Where OpenBLAS can't be
 * loaded, gemm is done by the best Java kernels, unless this backend was forced by name.
 */
final class NativeKernels implements Kernels {
  /** From this many rows on, packing the weights costs OpenBLAS less than it gains. */
  private static final long GEMM_ROWS = 4;

  private final InstructionSet set;
  private final int isa;

  /**
   * Calls the library, which must be loaded.
   *
   * @param number one of the set's {@link InstructionSet#supported}
   */
  NativeKernels(InstructionSet set, int number) {
    this.set = set;
    isa = number;
  }

  @Override
  public String name() {
    return set.backend();
  }

  @Override
  public String layout() {
    return name() + " " + SmallMind.SM_ABI_VERSION;
  }

  private String tiles() {
    if (isa == SmallMind.SM_ISA_AVX512_AMX) {
      return "prompts by AMX tiles; ";
    }
    return set == InstructionSet.AVX512_VNNI && NativePlatform.hasTiles()
        ? "without the CPU's AMX tiles; "
        : "";
  }

  @Override
  public String status() {
    return tiles() + OpenBlas.status();
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
    OpenBlas openblas = OpenBlas.get();
    if (openblas.isLoaded()
        && OpenBlas.reaches(lda)
        && OpenBlas.reaches(ldb)
        && OpenBlas.reaches(ldc)) {
      openblas.gemm(
          transposeA,
          transposeB,
          m,
          n,
          k,
          alpha,
          a.address() + aOffset,
          lda,
          b.address() + bOffset,
          ldb,
          beta,
          c.address() + cOffset,
          ldc);
      return;
    }
    if (!openblas.isLoaded()) {
      refuseIfForced(openblas);
    }
    JavaFallback.KERNELS.gemm(
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

  /** An explicit choice fails if it can't be had, rather than being slow for an unknown reason. */
  private void refuseIfForced(OpenBlas openblas) {
    if (name().equals(System.getProperty(KernelRegistry.BACKEND_PROPERTY))) {
      throw new BackendException(
          "backend '"
              + name()
              + "' was asked for, but there is only "
              + OpenBlas.status()
              + "; leave out -D"
              + KernelRegistry.BACKEND_PROPERTY
              + " to allow that",
          openblas.failure());
    }
  }

  /** Looked up when it is needed: the registry is complete then. */
  private static final class JavaFallback {
    static final Kernels KERNELS =
        KernelRegistry.get().available().stream()
            .filter(kernels -> !(kernels instanceof NativeKernels))
            .findFirst()
            .orElseThrow();
  }

  @Override
  public int rowGroup(TensorType type) {
    return SmallMind.sm_row_group(isa, type.ggufId());
  }

  @Override
  public long packedBytes(TensorType type, long rows, long columns) {
    return SmallMind.sm_packed_bytes(isa, type.ggufId(), rows, columns);
  }

  @Override
  public void pack(Matrix source, MemorySegment target, long rowBegin, long rowEnd) {
    SmallMind.sm_pack(
        isa,
        source.type().ggufId(),
        source.segment().address(),
        source.rowStride(),
        source.rows(),
        source.columns(),
        target.address(),
        rowBegin,
        rowEnd);
  }

  @Override
  public long activationRowBytes(long columns) {
    return SmallMind.sm_activation_row_bytes(columns);
  }

  @Override
  public void quantize(Activations x, long rowBegin, long rowEnd) {
    Matrix source = x.source();
    SmallMind.sm_quantize(
        isa,
        source.segment().address(),
        source.rowStride(),
        source.columns(),
        x.quantized().address(),
        rowBegin,
        rowEnd);
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
    Matrix source = x.source();
    if (w.type() == TensorType.F32
        && !w.isPacked()
        && xRowEnd - xRowBegin >= GEMM_ROWS
        && OpenBlas.get().isLoaded()
        && hasWholeStride(source.rowStride())
        && hasWholeStride(w.rowStride())
        && hasWholeStride(y.rowStride())) {
      OpenBlas.get()
          .gemm(
              false,
              true,
              xRowEnd - xRowBegin,
              wRowEnd - wRowBegin,
              w.columns(),
              1,
              source.segment().address() + source.rowOffset(xRowBegin),
              source.rowStride() / Float.BYTES,
              w.segment().address() + wRowBegin * w.rowStride(),
              w.rowStride() / Float.BYTES,
              0,
              y.segment().address() + y.rowOffset(xRowBegin) + wRowBegin * Float.BYTES,
              y.rowStride() / Float.BYTES);
      return;
    }
    SmallMind.sm_matmul(
        isa,
        w.type().ggufId(),
        source.segment().address(),
        source.rowStride(),
        x.quantized().address(),
        xRowBegin,
        xRowEnd,
        w.segment().address(),
        w.rowStride(),
        w.rows(),
        w.columns(),
        wRowBegin,
        wRowEnd,
        y.segment().address(),
        y.rowStride());
  }

  /** Tells whether OpenBLAS can step from row to row. */
  private static boolean hasWholeStride(long bytes) {
    return bytes % Float.BYTES == 0 && OpenBlas.reaches(bytes / Float.BYTES);
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
    SmallMind.sm_binary(
        isa,
        switch (op) {
          case ADD -> SmallMind.SM_BINARY_ADD;
          case MULTIPLY -> SmallMind.SM_BINARY_MULTIPLY;
        },
        a.address() + aOffset,
        b.address() + bOffset,
        out.address() + outOffset,
        length);
  }

  @Override
  public void unary(
      UnaryOp op, MemorySegment in, long inOffset, MemorySegment out, long outOffset, long length) {
    SmallMind.sm_unary(isa, number(op), in.address() + inOffset, out.address() + outOffset, length);
  }

  @Override
  public double productCost(TensorType type) {
    if (isa != SmallMind.SM_ISA_AVX512_AMX) {
      return Kernels.super.productCost(type);
    }
    return switch (type) {
      // Tiles gain little where a block has two scales.
      case F32, F16, BF16, Q2_K, Q3_K, Q6_K -> Kernels.super.productCost(type);
      default -> 0.24; // as measured for Q4_0
    };
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
    SmallMind.sm_gate(
        isa,
        number(op),
        gate.segment().address() + Float.BYTES * columnBegin,
        gate.rowStride(),
        up.segment().address() + Float.BYTES * columnBegin,
        up.rowStride(),
        columnEnd - columnBegin,
        rowBegin,
        rowEnd);
  }

  private static int number(UnaryOp op) {
    return switch (op) {
      case RELU -> SmallMind.SM_UNARY_RELU;
      case GELU_TANH -> SmallMind.SM_UNARY_GELU_TANH;
      case GELU_ERF -> SmallMind.SM_UNARY_GELU_ERF;
      case SILU -> SmallMind.SM_UNARY_SILU;
      case SIGMOID -> SmallMind.SM_UNARY_SIGMOID;
      case TANH -> SmallMind.SM_UNARY_TANH;
    };
  }

  @Override
  public void scale(
      float factor,
      MemorySegment in,
      long inOffset,
      MemorySegment out,
      long outOffset,
      long length) {
    SmallMind.sm_scale(isa, factor, in.address() + inOffset, out.address() + outOffset, length);
  }

  @Override
  public float dot(MemorySegment a, long aOffset, MemorySegment b, long bOffset, long length) {
    return SmallMind.sm_dot(isa, a.address() + aOffset, b.address() + bOffset, length);
  }

  @Override
  public void softmax(Matrix in, Matrix out, long rowBegin, long rowEnd) {
    SmallMind.sm_softmax(
        isa,
        in.segment().address(),
        in.rowStride(),
        in.columns(),
        out.segment().address(),
        out.rowStride(),
        rowBegin,
        rowEnd);
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
    SmallMind.sm_layer_norm(
        isa,
        in.segment().address(),
        in.rowStride(),
        in.columns(),
        weight.segment().address(),
        bias.segment().address(),
        epsilon,
        out.segment().address(),
        out.rowStride(),
        rowBegin,
        rowEnd);
  }

  @Override
  public void rmsNorm(
      Matrix in, Matrix weight, float epsilon, Matrix out, long rowBegin, long rowEnd) {
    SmallMind.sm_rms_norm(
        isa,
        in.segment().address(),
        in.rowStride(),
        in.columns(),
        weight.segment().address(),
        epsilon,
        out.segment().address(),
        out.rowStride(),
        rowBegin,
        rowEnd);
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
    SmallMind.sm_rope(
        isa,
        switch (pairing) {
          case ADJACENT -> SmallMind.SM_ROPE_ADJACENT;
          case HALVES -> SmallMind.SM_ROPE_HALVES;
        },
        x.address() + xOffset,
        heads,
        headDim,
        rotaryDim,
        table.address() + tableOffset);
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
    SmallMind.sm_store_key_value(
        isa,
        kv.type().ggufId(),
        k.segment().address(),
        k.rowStride(),
        v.segment().address(),
        v.rowStride(),
        rowBegin,
        rowEnd,
        position,
        kv.table().address(),
        kv.keyOffset(layer, 0),
        kv.valueOffset(layer, 0),
        kv.headDim(),
        kvHeadBegin,
        kvHeadEnd);
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
    if (kv.headDim() > SmallMind.SM_MAX_HEAD_DIM) {
      Kernels.super.attention(
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
      return;
    }
    SmallMind.sm_attention(
        isa,
        kv.type().ggufId(),
        q.segment().address(),
        q.rowStride(),
        rowBegin,
        rowEnd,
        position,
        kv.table().address(),
        kv.keyOffset(layer, 0),
        kv.valueOffset(layer, 0),
        kv.headDim(),
        kvHeadBegin,
        kvHeadEnd,
        q.columns() / kv.headDim() / kv.kvHeads(),
        scale,
        softCap,
        window,
        out.segment().address(),
        out.rowStride());
  }
}
