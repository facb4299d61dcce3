package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlowedKernelsTest {
  private static final Kernels SCALAR = KernelRegistry.get().byName("scalar");
  private static final List<Candidate> CANDIDATES =
      List.of(Candidate.available(0, SCALAR, "plain Java"));

  @TempDir private Path folder;

  @AfterEach
  void forget() {
    System.clearProperty(SlowedKernels.PROPERTY);
  }

  private Path measure(String name, List<Candidate> candidates) {
    Path json = folder.resolve(name);
    BenchProcess run =
        BenchProcess.run(
            candidates,
            ("matmul --mode gemm --types Q8_0 --sizes 64 --threads 1 --repeat 9 --quick --json "
                    + json)
                .split(" "));
    assertEquals(0, run.exitCode(), run.err());
    return json;
  }

  /** Right results, later: twice the time is found through all noise. */
  @Test
  void slowedKernelIsRightAndFound() {
    Path plain = measure("plain.json", CANDIDATES);
    System.setProperty(SlowedKernels.PROPERTY, "matmul:100");
    Path slowed = measure("slowed.json", SlowedKernels.where(CANDIDATES));
    BenchProcess run = BenchProcess.run("compare", plain.toString(), slowed.toString());
    assertEquals(1, run.exitCode(), run.out());
    assertTrue(run.out().contains("1 slower"), run.out());
  }

  @Test
  void nothingIsSlowedUnlessAsked() {
    assertSame(CANDIDATES, SlowedKernels.where(CANDIDATES));
    System.setProperty(SlowedKernels.PROPERTY, "tea:10");
    assertThrows(BadArgumentException.class, () -> SlowedKernels.where(CANDIDATES));
  }

  /** What a backend does in its own way it does so slowed, too: else two things are compared. */
  @Test
  void nothingIsLeftToTheDefaultsOfKernels() {
    List<Method> own = List.of(SlowedKernels.class.getDeclaredMethods());
    for (Method method : Kernels.class.getMethods()) {
      assertTrue(
          own.stream()
              .anyMatch(
                  one ->
                      one.getName().equals(method.getName())
                          && Arrays.equals(one.getParameterTypes(), method.getParameterTypes())),
          () -> "SlowedKernels lacks " + method);
    }
  }
}
