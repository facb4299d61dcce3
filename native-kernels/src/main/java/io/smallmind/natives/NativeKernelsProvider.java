package io.smallmind.natives;

import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.KernelsProvider;
import io.smallmind.presets.SmallMind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Offers a backend for each instruction set of the native library. */
public final class NativeKernelsProvider implements KernelsProvider {
  private static final String PREFIX = "native-";

  /** The place of a backend that no machine of this architecture can run: behind all others. */
  private static final int FOREIGN_RANK = -1;

  /** Called by {@link java.util.ServiceLoader}. */
  public NativeKernelsProvider() {}

  @Override
  public List<Candidate> candidates() {
    List<Candidate> candidates = new ArrayList<>();
    for (InstructionSet set : InstructionSet.values()) {
      candidates.add(candidate(set));
    }
    return candidates;
  }

  private static Candidate candidate(InstructionSet set) {
    if (!set.architecture().equals(NativePlatform.architecture())) {
      return Candidate.missing(
          set.backend(),
          FOREIGN_RANK,
          "is for " + set.architecture() + ", this is " + NativePlatform.architecture(),
          null);
    }
    // Whoever asks for another backend may do so because the library breaks this machine.
    String forced = System.getProperty(KernelRegistry.BACKEND_PROPERTY, "");
    if (!forced.isBlank() && !forced.startsWith(PREFIX)) {
      return Candidate.missing(
          set.backend(),
          set.rank(),
          "not loaded, because " + KernelRegistry.BACKEND_PROPERTY + " asks for " + forced,
          null);
    }
    NativeLibrary library = NativeLibrary.get();
    if (!library.isLoaded()) {
      return Candidate.missing(set.backend(), set.rank(), library.detail(), library.failure());
    }
    try {
      int supported = SmallMind.sm_isa_supported(set.number());
      if (supported != 1) {
        return Candidate.missing(set.backend(), set.rank(), unsupported(set, supported), null);
      }
      return candidate(set, library.detail());
    } catch (LinkageError | RuntimeException e) {
      return Candidate.missing(
          set.backend(), set.rank(), "failed its first calculation: " + e.getMessage(), e);
    }
  }

  /** Offers the richest form of an instruction set whose first calculation is right. */
  private static Candidate candidate(InstructionSet set, String detail) {
    RuntimeException failure = null;
    for (int form : set.supported()) {
      try {
        NativeKernels kernels = new NativeKernels(set, form);
        SampleMatmul.check(kernels);
        String failed =
            failure == null ? "" : ", richer instructions failed: " + failure.getMessage();
        return Candidate.available(set.rank(), kernels, detail + failed);
      } catch (IllegalStateException e) {
        failure = e;
      }
    }
    throw failure == null ? new IllegalStateException("no form is supported") : failure;
  }

  private static String unsupported(InstructionSet set, int supported) {
    if (supported < 0) {
      return "the library for " + NativePlatform.name() + " holds no kernels for it";
    }
    List<String> missing = NativePlatform.missingFlags(Path.of("/proc/cpuinfo"), set.cpuFlags());
    return "this CPU, or its operating system, lacks "
        + String.join(", ", missing.isEmpty() ? set.cpuFlags() : missing);
  }
}
