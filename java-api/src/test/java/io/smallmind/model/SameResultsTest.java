package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Machine;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.Backends;
import io.smallmind.testing.TestData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Logits don't depend on how tokens are spread over passes, nor on who else is in a pass: they are
 * the same bits, or within a bound that {@link #bound} explains.
 */
class SameResultsTest {
  /** Enough for two members to keep their rows. */
  private static final int LENGTH = 107;

  private static final Team TEAM = new Team(Math.min(2, Machine.availableProcessors()));

  static Stream<Arguments> every() {
    return cases(
        "stories260K",
        "stories260K-F16",
        "stories260K-Q8_0",
        "stories260K-Q4_0",
        "tinystories-656k-BF16",
        "tinystories-656k-Q4_1",
        "tinystories-656k-Q5_0",
        "tinystories-656k-Q5_1",
        "random-1m4-Q4_K_M",
        "random-1m4-Q5_K");
  }

  static Stream<Arguments> some() {
    return cases("stories260K", "stories260K-Q8_0", "tinystories-656k-BF16", "random-1m4-Q4_K_M");
  }

  private static Stream<Arguments> cases(String... models) {
    return Backends.names().stream()
        .flatMap(backend -> Stream.of(models).map(model -> Arguments.of(backend, model)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("every")
  void piecesGiveWhatTheWholeGives(String backend, String name) {
    try (GgufFile file = GgufFile.open(TestData.path("models/" + name + ".gguf"));
        Model model = load(file, backend);
        Batch batch = model.newBatch(LENGTH, LENGTH)) {
      int[] tokens = tokens(model, 1, LENGTH);
      for (TensorType type : cacheTypes(model)) {
        float[][] whole = run(model, batch, type, tokens, LENGTH);
        for (int step : new int[] {1, 3, 33, 64}) {
          compare(
              bound(model, name),
              whole,
              run(model, batch, type, tokens, step),
              type + ", pieces of " + step);
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("some")
  void sessionsTogetherGiveWhatTheyGiveAlone(String backend, String name) {
    int sessions = 8;
    try (GgufFile file = GgufFile.open(TestData.path("models/" + name + ".gguf"));
        Model model = load(file, backend);
        Batch batch = model.newBatch(8 * LENGTH, 8 * LENGTH)) {
      List<KvCache> caches = new ArrayList<>();
      List<int[]> tokens = new ArrayList<>();
      List<float[][]> alone = new ArrayList<>();
      for (int session = 0; session < sessions; session++) {
        tokens.add(tokens(model, session, 20 + 9 * session));
        alone.add(run(model, batch, TensorType.F16, tokens.get(session), 1));
        caches.add(model.newCache(TensorType.F16, LENGTH));
      }
      int[] done = new int[sessions];
      int[] lengths = tokens.stream().mapToInt(each -> each.length).toArray();
      for (int pass = 0; !Arrays.equals(done, lengths); pass++) {
        batch.clear();
        int[] begins = done.clone();
        for (int session = 0; session < sessions; session++) {
          // Some read a prompt while others go token by token, and some pause.
          int count = pass == session ? 11 : (pass + session) % 3 == 0 ? 0 : 1;
          int end = Math.min(tokens.get(session).length, done[session] + count);
          for (; done[session] < end; done[session]++) {
            batch.add(caches.get(session), tokens.get(session)[done[session]], true);
          }
        }
        if (batch.rows() > 0) {
          assertTrue(model.forward(batch));
        }
        int output = 0;
        for (int session = 0; session < sessions; session++) {
          for (int at = begins[session]; at < done[session]; at++) {
            assertSame(
                bound(model, name),
                alone.get(session)[at],
                logits(batch, output++),
                "session " + session + ", position " + at);
          }
        }
      }
      caches.forEach(KvCache::close);
    }
  }

  private static Model load(GgufFile file, String backend) {
    Kernels kernels = KernelRegistry.get().byName(backend);
    return Model.load(file, kernels, TEAM, LoadOptions.defaults());
  }

  private static List<TensorType> cacheTypes(Model model) {
    return model.config().headDim() % 32 == 0
        ? List.of(TensorType.F16, TensorType.Q8_0)
        : List.of(TensorType.F16);
  }

  private static int[] tokens(Model model, int seed, int length) {
    Random random = new Random(seed);
    return random.ints(length, 0, model.config().vocabularySize()).toArray();
  }

  /** Returns the logits behind each token, computed in passes of so many. */
  private static float[][] run(Model model, Batch batch, TensorType type, int[] tokens, int step) {
    float[][] logits = new float[tokens.length][];
    try (KvCache cache = model.newCache(type, tokens.length)) {
      for (int begin = 0; begin < tokens.length; begin += step) {
        batch.clear();
        int end = Math.min(tokens.length, begin + step);
        for (int i = begin; i < end; i++) {
          batch.add(cache, tokens[i], true);
        }
        assertTrue(model.forward(batch));
        for (int i = begin; i < end; i++) {
          logits[i] = logits(batch, i - begin);
        }
      }
    }
    return logits;
  }

  private static float[] logits(Batch batch, int output) {
    return batch.logits(output).toArray(JAVA_FLOAT);
  }

  private static void compare(double bound, float[][] expected, float[][] actual, String what) {
    for (int i = 0; i < expected.length; i++) {
      assertSame(bound, expected[i], actual[i], what + ", position " + i);
    }
  }

  private static void assertSame(double bound, float[] expected, float[] actual, String what) {
    if (bound == 0) {
      assertArrayEquals(expected, actual, what);
      return;
    }
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int id = 0; id < expected.length; id++) {
      assertEquals(expected[id], actual[id], bound * largest, what);
    }
  }

  /**
   * Returns how far logits may lie apart, relative to the largest: not at all where a backend sums
   * in the same order however many rows there are.
   *
   * <p>The Vector API multiplies weights of 8 bits as integers for few rows and as floats for many.
   * That alone is some 1e-6, but a value that lies between two steps of a rounding may then fall to
   * the other one: keys and values in F16, and activations that meet quantized weights. If all of
   * them fell, it would be noise of one step. Each layer adds its own, and independent noise adds
   * by squares.
   */
  private static double bound(Model model, String name) {
    if (!model.kernels().name().equals("vector") || !name.endsWith("-Q8_0")) {
      return 0;
    }
    // Two roundings per layer of the cache's F16; four per layer and one for the scores of
    // activations, in blocks of 32, whose largest value is about three deviations, or 127 steps.
    int layers = model.config().layers();
    double cache = 2 * layers * Math.pow(0x1p-10, 2);
    double step = 3.0 / 127;
    return Math.sqrt(cache + (4 * layers + 1) * step * step);
  }
}
