package io.smallmind.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import java.util.List;

/**
 * The backends that a test runs on: all that this host offers, or those whose names begin with the
 * system property {@value #ONLY_PROPERTY}.
 *
 * <p>The system property {@value #EXPECTED_PROPERTY} lists, with commas, those that this host must
 * offer: a machine that lost one can't pass by skipping it.
 */
public final class Backends {
  public static final String EXPECTED_PROPERTY = "smallmind.test.expectedBackends";

  public static final String ONLY_PROPERTY = "smallmind.test.onlyBackends";

  private Backends() {}

  /** Returns the names of the backends to test, of which none that is expected may be absent. */
  public static List<String> names() {
    List<String> names = offered().stream().map(Kernels::name).toList();
    for (String expected : System.getProperty(EXPECTED_PROPERTY, "").split(",")) {
      assertTrue(
          expected.isBlank() || names.contains(expected.strip()),
          () -> expected + " is absent\n" + KernelRegistry.get().explain());
    }
    return names;
  }

  /** Returns the backends to test that are here. */
  public static List<Kernels> offered() {
    String prefix = System.getProperty(ONLY_PROPERTY, "");
    return KernelRegistry.get().available().stream()
        .filter(kernels -> kernels.name().startsWith(prefix))
        .toList();
  }
}
