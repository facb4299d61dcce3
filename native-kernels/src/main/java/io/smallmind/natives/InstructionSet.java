package io.smallmind.natives;

import io.smallmind.presets.SmallMind;
import java.util.List;
import java.util.stream.IntStream;

/** The instruction sets that the C++ kernels are written for, each a backend of its own. */
enum InstructionSet {
  AVX512_VNNI(
      "native-avx512vnni",
      SmallMind.SM_ISA_AVX512_VNNI,
      210,
      "x86_64",
      List.of("avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni")),
  AVX2("native-avx2", SmallMind.SM_ISA_AVX2, 200, "x86_64", List.of("avx2", "fma", "f16c")),
  NEON_I8MM(
      "native-neon-i8mm",
      SmallMind.SM_ISA_NEON_I8MM,
      220,
      "arm64",
      List.of("asimd", "asimddp", "i8mm")),
  NEON_DOTPROD(
      "native-neon-dotprod",
      SmallMind.SM_ISA_NEON_DOTPROD,
      210,
      "arm64",
      List.of("asimd", "asimddp")),
  NEON("native-neon", SmallMind.SM_ISA_NEON, 200, "arm64", List.of("asimd"));

  private final String backend;
  private final int number;
  private final int rank;
  private final String architecture;
  private final List<String> cpuFlags;

  InstructionSet(String backend, int number, int rank, String architecture, List<String> cpuFlags) {
    this.backend = backend;
    this.number = number;
    this.rank = rank;
    this.architecture = architecture;
    this.cpuFlags = cpuFlags;
  }

  /** Returns the name of the backend that uses it. */
  String backend() {
    return backend;
  }

  /** Returns its number in the C interface. */
  int number() {
    return number;
  }

  /**
   * Returns the numbers of its forms that this machine runs, the richest first. Instructions that
   * only make some products faster make no backend of their own: packed weights are the same.
   */
  int[] supported() {
    IntStream forms =
        this == AVX512_VNNI
            ? IntStream.of(SmallMind.SM_ISA_AVX512_AMX, SmallMind.SM_ISA_AVX512_BF16, number)
            : IntStream.of(number);
    return forms.filter(form -> SmallMind.sm_isa_supported(form) == 1).toArray();
  }

  /** Returns its backend's place among all: the higher, the faster. */
  int rank() {
    return rank;
  }

  /** Returns the processors that have it, as {@link NativePlatform} names them. */
  String architecture() {
    return architecture;
  }

  /** Returns what a processor must offer, as /proc/cpuinfo names it. */
  List<String> cpuFlags() {
    return cpuFlags;
  }
}
