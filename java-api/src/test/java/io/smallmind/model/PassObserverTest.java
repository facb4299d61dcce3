package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who watches a pass sees every layer, and changes nothing. */
class PassObserverTest {
  private static final int PASSES = 50;

  /** Counts by step, of one member. */
  private static final class Counter implements PassObserver {
    private final Map<Step, Integer> worked = new EnumMap<>(Step.class);
    private int begun;
    private int waited;
    private int deepest = NO_LAYER;

    @Override
    public void begun(int member) {
      begun++;
    }

    @Override
    public void worked(int member, int layer, Step step) {
      worked.merge(step, 1, Integer::sum);
      deepest = Math.max(deepest, layer);
    }

    @Override
    public void waited(int member, int layer, Step step) {
      waited++;
    }
  }

  private static final class Members implements PassObserver {
    private final Map<Integer, Counter> counters = new ConcurrentHashMap<>();

    private Counter of(int member) {
      return counters.computeIfAbsent(member, any -> new Counter());
    }

    @Override
    public void begun(int member) {
      of(member).begun(member);
    }

    @Override
    public void worked(int member, int layer, Step step) {
      of(member).worked(member, layer, step);
    }

    @Override
    public void waited(int member, int layer, Step step) {
      of(member).waited(member, layer, step);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 9, 40})
  void everyMemberTellsOfEveryLayer(int rows) {
    try (GgufFile file = GgufFile.open(TestData.path("models/stories260K.gguf"));
        Team team = new Team(2);
        Model model =
            Model.load(file, KernelRegistry.get().byName("scalar"), team, LoadOptions.defaults())) {
      Members members = new Members();
      float[] watched = logits(model, rows, members);
      assertArrayEquals(logits(model, rows, null), watched);
      assertEquals(2, members.counters.size());
      for (Counter counter : members.counters.values()) {
        assertEquals(1, counter.begun);
        assertEquals(model.config().layers() - 1, counter.deepest);
        assertTrue(counter.waited >= model.config().layers(), counter.waited + " waits");
        for (PassObserver.Step step : PassObserver.Step.values()) {
          assertEquals(
              step != PassObserver.Step.EXPERTS, counter.worked.containsKey(step), step.name());
        }
        assertEquals(
            model.config().layers(),
            counter.worked.get(PassObserver.Step.ATTENTION_INPUTS),
            "one product per layer");
      }
    }
  }

  private static float[] logits(Model model, int rows, PassObserver observer) {
    try (KvCache cache = model.newCache(TensorType.F16, rows);
        Batch batch = model.newBatch(rows, 1)) {
      batch.observe(observer);
      for (int row = 0; row < rows; row++) {
        batch.add(cache, 5 + row, row == rows - 1);
      }
      model.forward(batch);
      return batch.logits(0).toArray(JAVA_FLOAT);
    }
  }

  @Test
  void passesAllocateNothingRecordedOrNot() {
    try (GgufFile file = GgufFile.open(TestData.path("models/stories260K.gguf"));
        Team team = new Team(1);
        Model model =
            Model.load(file, KernelRegistry.get().byName("scalar"), team, LoadOptions.defaults());
        KvCache cache = model.newCache(TensorType.F16, 2 * PASSES);
        Batch batch = model.newBatch(1, 1)) {
      cache.reserve(2 * PASSES);
      passes(model, cache, batch); // Classes are loaded, and pages laid out.
      assertTrue(passes(model, cache, batch) < 16 * PASSES, "bytes while nobody records");
      try (Recording recording = new Recording()) {
        recording.enable("io.smallmind.ForwardPass");
        recording.start();
        passes(model, cache, batch); // Its buffers are made.
        assertTrue(passes(model, cache, batch) < 16 * PASSES, "bytes while recorded");
      }
    }
  }

  /** Returns the heap bytes of the passes. */
  private static long passes(Model model, KvCache cache, Batch batch) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    cache.truncate(0);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < PASSES; i++) {
      batch.clear();
      batch.add(cache, 5 + i, true);
      model.forward(batch);
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
