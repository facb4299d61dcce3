package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.smallmind.testing.Backends;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestInstance;

/**
 * What the conformance tests share: they run every implementation that the registry offers, against
 * an oracle in double precision, and prove at the end which ones they ran.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class KernelConformance {
  /** Run every so manyth of many alike shapes; without it, all. */
  static final int STEP = Integer.getInteger("smallmind.test.step", 1);

  /** The unit roundoff of F32. */
  static final double U = 0x1p-24;

  private final Map<String, Long> cases = new TreeMap<>();

  /** Returns the implementations to test. */
  static List<Kernels> backends() {
    return Backends.offered();
  }

  /** Makes one test per implementation. */
  final Stream<DynamicTest> onEveryBackend(Consumer<Kernels> body) {
    return backends().stream()
        .map(kernels -> DynamicTest.dynamicTest(kernels.name(), () -> body.accept(kernels)));
  }

  /** Counts a case that was computed and compared. */
  final void count(Kernels kernels) {
    cases.merge(kernels.name(), 1L, Long::sum);
  }

  @AfterAll
  final void everyBackendRan() {
    System.out.println(getClass().getSimpleName() + ": cases per backend " + cases);
    List<String> absent = new ArrayList<>();
    for (Kernels kernels : backends()) {
      if (!cases.containsKey(kernels.name())) {
        absent.add(kernels.name());
      }
    }
    for (String expected : System.getProperty(Backends.EXPECTED_PROPERTY, "").split(",")) {
      if (!expected.isBlank() && !cases.containsKey(expected.strip())) {
        absent.add(expected.strip());
      }
    }
    assertTrue(
        absent.isEmpty(), () -> "did not run: " + absent + "\n" + KernelRegistry.get().explain());
  }

  /**
   * Returns the relative bound on the rounding error of a sum of n products, as a factor of Σ|a·b|:
   * errors of n roundings grow with √n for all but contrived orders (Higham and Mary 2019), and
   * scales, minimums and partial sums add a few.
   */
  static double sumBound(long n) {
    return (8 + 4 * Math.sqrt(n)) * U;
  }

  /** Fails unless the value is within the tolerance; NaN and infinities must match. */
  static void assertClose(double expected, float actual, double tolerance, Object what) {
    if (Double.isNaN(expected) ? Float.isNaN(actual) : Math.abs(actual - expected) <= tolerance) {
      return;
    }
    if (Double.isInfinite((float) expected) && actual == (float) expected) {
      return;
    }
    fail(what + ": expected " + expected + " ± " + tolerance + ", got " + actual);
  }
}
