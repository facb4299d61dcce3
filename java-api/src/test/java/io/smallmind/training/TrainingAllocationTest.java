package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.testing.Backends;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** After warming up, a thousand steps of training allocate not one byte, on every backend. */
class TrainingAllocationTest {
  private static final int STEPS = 1000;

  /** After so much work the JVM's compiler must be ready: what it has not compiled may allocate. */
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  @TempDir private Path folder;

  static Stream<Arguments> cases() {
    return Backends.names().stream()
        .flatMap(
            backend ->
                Stream.of(Architecture.LLAMA, Architecture.GPT2)
                    .map(architecture -> Arguments.of(backend, architecture)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void aThousandStepsAllocateNothing(String backend, Architecture architecture) {
    check(backend, architecture, null, 1, STEPS);
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void noMemberOfATeamAllocates(Architecture architecture) {
    String backend = KernelRegistry.get().choose().name();
    check(backend, architecture, new LoraConfig(4, 8), 2, STEPS / 10);
  }

  private void check(
      String backend,
      Architecture architecture,
      @Nullable LoraConfig lora,
      int members,
      int steps) {
    Texts texts = new Texts(folder, 200);
    Kernels kernels = KernelRegistry.get().byName(backend);
    NetworkConfig config = Texts.config(architecture);
    TrainingOptions options = Texts.options().steps(1_000_000).dropout(0.1).accumulation(2).build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(members);
        Trainer trainer = new Trainer(config, options, texts.entries, lora, data, kernels, team)) {
      trainer.step();
      Counters counters = new Counters();
      long deadline = counters.cpuNanos() + PATIENCE_NANOS;
      long collections = counters.collections();
      for (int quiet = 0; quiet < steps; quiet++) {
        long before = counters.bytes();
        trainer.step();
        long allocated = counters.bytes() - before;
        // One that earlier garbage began may end meanwhile; those of steps would come again.
        boolean collected = counters.collections() != collections;
        if (allocated != 0 || collected) {
          assertTrue(
              counters.cpuNanos() < deadline,
              () -> allocated + " bytes in a step" + (collected ? ", and a collection" : ""));
          quiet = -1;
          collections = counters.collections();
        }
      }
    }
  }

  /** What the JVM counts of this thread and of the members of teams. */
  private static final class Counters {
    private final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final long[] threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(
                each -> each == Thread.currentThread() || each.getName().startsWith("smallmind-"))
            .mapToLong(Thread::threadId)
            .toArray();

    long bytes() {
      long sum = 0;
      for (long thread : threads) {
        sum += bean.getThreadAllocatedBytes(thread);
      }
      return sum;
    }

    long cpuNanos() {
      return bean.getCurrentThreadCpuTime();
    }

    long collections() {
      long sum = 0;
      for (GarbageCollectorMXBean each : ManagementFactory.getGarbageCollectorMXBeans()) {
        sum += each.getCollectionCount();
      }
      return sum;
    }
  }
}
