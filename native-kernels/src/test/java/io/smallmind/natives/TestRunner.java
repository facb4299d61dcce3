package io.smallmind.natives;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;
import static org.junit.platform.launcher.EngineFilter.includeEngines;

import io.smallmind.kernels.KernelRegistry;
import java.io.PrintWriter;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs the tests that make sense in an emulated JVM: those of the way from Java to the kernels and
 * OpenBLAS. The matmuls in all their shapes would take many minutes there, and are tested in C++.
 */
public final class TestRunner {
  private TestRunner() {}

  /** Exits with 1 if a test failed, or if none ran. */
  public static void main(String[] args) {
    System.out.println(KernelRegistry.get().explain());
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(
                selectClass("io.smallmind.kernels.ElementwiseConformanceTest"),
                selectClass("io.smallmind.kernels.RowsConformanceTest"),
                selectMethod(NativeKernelsTest.class, "everyBackendThatTheCpuAllowsIsThere"),
                selectMethod(NativeKernelsTest.class, "secondClassLoaderGetsACopy"),
                selectClass(OpenBlasTest.class))
            .filters(includeEngines("junit-jupiter"))
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener);
    TestExecutionSummary summary = listener.getSummary();
    summary.printFailuresTo(new PrintWriter(System.out, true), 20);
    System.out.println(
        summary.getTestsSucceededCount()
            + " passed, "
            + summary.getTotalFailureCount()
            + " failed, "
            + summary.getTestsSkippedCount()
            + " skipped");
    boolean failed = summary.getTotalFailureCount() > 0 || summary.getTestsSucceededCount() == 0;
    System.exit(failed ? 1 : 0);
  }
}
