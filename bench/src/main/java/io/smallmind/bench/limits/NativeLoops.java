package io.smallmind.bench.limits;

import io.smallmind.kernels.Kernels;
import io.smallmind.presets.SmallMind;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The loops of {@code smallmind_limits.h}, with the machine's widest vectors. */
final class NativeLoops implements LimitLoops {
  private static final long FLOAT_BYTES = Float.BYTES;

  /** An instruction set that the loops are written for. */
  private record InstructionSet(int number, String title) {}

  /** Best first. */
  private static final List<InstructionSet> INSTRUCTION_SETS =
      List.of(
          new InstructionSet(SmallMind.SM_ISA_AVX512_VNNI, "AVX-512 VNNI"),
          new InstructionSet(SmallMind.SM_ISA_AVX2, "AVX2"),
          new InstructionSet(SmallMind.SM_ISA_NEON_I8MM, "NEON with matrix products"),
          new InstructionSet(SmallMind.SM_ISA_NEON_DOTPROD, "NEON with dot products"),
          new InstructionSet(SmallMind.SM_ISA_NEON, "NEON"));

  private final InstructionSet instructions;

  private NativeLoops(InstructionSet instructions) {
    this.instructions = instructions;
  }

  /**
   * Returns the loops, or null if the native library is not there.
   *
   * @param kernels a native backend among them says that the library is loaded
   */
  static @Nullable NativeLoops find(List<Kernels> kernels) {
    if (kernels.stream().noneMatch(one -> one.name().startsWith("native-"))) {
      return null;
    }
    for (InstructionSet one : INSTRUCTION_SETS) {
      if (SmallMind.sm_isa_supported(one.number) == 1) {
        return new NativeLoops(one);
      }
    }
    return null;
  }

  @Override
  public String name() {
    return "C++, " + instructions.title;
  }

  @Override
  public boolean has(LimitKind kind) {
    return true;
  }

  @Override
  public double multiplyAdd(long rounds) {
    return SmallMind.sm_limit_fma(instructions.number, rounds);
  }

  @Override
  public double int8Dot(long rounds) {
    return SmallMind.sm_limit_int8_dot(instructions.number, rounds);
  }

  @Override
  public long read(MemorySegment memory, long begin, long end) {
    return SmallMind.sm_limit_read(instructions.number, memory.address() + begin, end - begin);
  }

  @Override
  public boolean hasPlainLoops() {
    return true;
  }

  @Override
  public void add(
      MemorySegment a,
      MemorySegment b,
      MemorySegment out,
      long begin,
      long end,
      boolean streaming) {
    long offset = begin * FLOAT_BYTES;
    SmallMind.sm_limit_add(
        instructions.number,
        a.address() + offset,
        b.address() + offset,
        out.address() + offset,
        end - begin,
        streaming ? 1 : 0);
  }

  @Override
  public void relu(MemorySegment in, MemorySegment out, long begin, long end, boolean streaming) {
    long offset = begin * FLOAT_BYTES;
    SmallMind.sm_limit_relu(
        instructions.number,
        in.address() + offset,
        out.address() + offset,
        end - begin,
        streaming ? 1 : 0);
  }
}
