package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerificationTest {
  private static final Kernels SCALAR = KernelRegistry.get().byName("scalar");

  private static List<Candidate> withBroken(BrokenKernels.Fault fault) {
    Kernels broken = BrokenKernels.of(SCALAR, "broken", fault);
    return List.of(
        Candidate.available(300, broken, "for this test"),
        Candidate.available(0, SCALAR, "plain Java"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "SLIGHTLY_WRONG | wrong | matmul --mode gemm --types F32 --sizes 32",
        "SLIGHTLY_WRONG | wrong | matmul --mode gemm --types Q8_0 --sizes 32",
        "SLIGHTLY_WRONG | wrong | matmul --mode gemv --types F16 --n 64 --k 64 --rows 2",
        "SLIGHTLY_WRONG | wrong | ops --ops add --sizes 256",
        "ROW_MISSING | wrong | matmul --mode gemm --types Q4_0 --sizes 32",
        "SLIGHTLY_WRONG | wrong | model --shape tiny-llama --types F32 --prompt 4 --generate 0 --cache target/models",
        "ROW_MISSING | wrong | model --shape tiny-llama --prompt 0 --generate 4 --cache target/models",
        "THROWS | failed | model --shape tiny-llama --prompt 0 --generate 4 --cache target/models",
        "THROWS | failed | matmul --mode gemm --types F32 --sizes 32",
      })
  void brokenKernelIsAnErrorRowAndExitCode1(
      BrokenKernels.Fault fault, String status, String arguments) {
    String all =
        arguments + " --quick --repeat 1 --warm-up 0.02 --threads 1 --backends broken,scalar";
    BenchProcess run = BenchProcess.run(withBroken(fault), all.split(" "));
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.out().contains(status + ": "), run.out());
    assertTrue(run.err().startsWith("error: "), run.err());
    assertTrue(run.err().contains("broken ×1"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    // The other backend is measured all the same.
    assertTrue(run.out().lines().anyMatch(line -> line.contains("scalar  ")), run.out());
  }

  @Test
  void traceIsPrintedOnRequestOnly() {
    BenchProcess run =
        BenchProcess.run(
            withBroken(BrokenKernels.Fault.THROWS),
            ("matmul --types F32 --sizes 32 --quick --repeat 1 --warm-up 0.02 --threads 1 --backends broken"
                    + " --verbose")
                .split(" "));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("at io.smallmind.bench.BrokenKernels"), run.err());
  }

  @Test
  void backendThatCannotRunIsAnError() {
    List<Candidate> candidates =
        List.of(
            Candidate.missing("native-warp", 300, "this CPU has no warp drive", null),
            Candidate.available(0, SCALAR, "plain Java"));
    BenchProcess run =
        BenchProcess.run(candidates, "matmul", "--backends", "native", "--types", "F32");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("this CPU has no warp drive"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }
}
