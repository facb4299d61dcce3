package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Machine;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.Backends;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family and every kind of stretched context, against the plain reference. */
class ReferenceTest {
  private static final int[] TOKENS = {3, 17, 8, 8, 39, 0, 21, 5, 30, 11, 2, 19, 7, 33, 25, 1};

  private static final Team TEAM = new Team(Math.min(2, Machine.availableProcessors()));

  /** So many that members of the team keep their rows for themselves. */
  private static final int SESSIONS = 7;

  @TempDir private Path folder;

  static Stream<Arguments> cases() {
    Map<String, Consumer<ReferenceTraits>> cases = new LinkedHashMap<>();
    cases.put("llama", t -> {});
    cases.put("llama, tied", t -> t.tied = true);
    cases.put("llama, heads wider than their share", t -> t.headDim = 16);
    cases.put("llama 3 frequencies", t -> t.divisors = new double[] {1, 1.5, 4, 8});
    cases.put("llama, linear", t -> t.linear = 4);
    cases.put(
        "llama, YaRN",
        t -> {
          t.yarn = 4;
          t.original = 16;
          t.headDim = 16;
        });
    cases.put("mistral with a window", t -> t.window = 5);
    cases.put("mixtral", t -> experts(t, 6, 2));
    cases.put("qwen2", t -> family(t, "qwen2").biases = true);
    cases.put("qwen3", t -> family(t, "qwen3").headNorms = true);
    cases.put(
        "qwen3moe",
        t -> {
          family(t, "qwen3moe").headNorms = true;
          experts(t, 8, 3);
        });
    cases.put(
        "gemma2",
        t -> {
          gemma(t, "gemma2");
          t.scoreCap = 5;
          t.logitCap = 3;
          t.pattern = 2;
        });
    cases.put(
        "gemma3",
        t -> {
          gemma(t, "gemma3");
          t.headNorms = true;
          t.layers = 7;
          t.pattern = 6;
          t.ropeBase = 1e6;
          t.linear = 8;
          t.localRopeBase = 10000;
        });
    cases.put(
        "phi3",
        t -> {
          family(t, "phi3").fused = true;
          t.divisors = new double[] {1.1, 1.2, 2, 3};
          t.divisorTensor = "rope_factors_long.weight";
          t.original = 32;
          t.attentionFactor = 1.19;
        });
    cases.put(
        "gpt2",
        t -> {
          family(t, "gpt2").fused = true;
          t.kvHeads = t.heads;
          t.layerNorm = true;
          t.biases = true;
          t.gated = false;
          t.gelu = true;
          t.learnedPositions = true;
          t.tied = true;
        });
    List<Arguments> arguments = new ArrayList<>();
    for (String backend : Backends.names()) {
      cases.forEach((name, change) -> arguments.add(Arguments.of(backend, name, change)));
    }
    return arguments.stream();
  }

  private static ReferenceTraits family(ReferenceTraits traits, String architecture) {
    traits.architecture = architecture;
    traits.halves = !architecture.equals("llama");
    return traits;
  }

  private static void gemma(ReferenceTraits traits, String architecture) {
    family(traits, architecture).postNorms = true;
    traits.gelu = true;
    traits.scaledEmbeddings = true;
    traits.tied = true;
    traits.window = 4;
    traits.headDim = 16;
  }

  private static void experts(ReferenceTraits traits, int count, int used) {
    traits.experts = count;
    traits.used = used;
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("cases")
  void agreesWithTheReference(String backend, String name, Consumer<ReferenceTraits> change) {
    Kernels kernels = KernelRegistry.get().byName(backend);
    ReferenceTraits traits = new ReferenceTraits();
    change.accept(traits);
    ReferenceModel reference = new ReferenceModel(traits, name.hashCode());
    Path path = folder.resolve("model.gguf");
    reference.write(path);
    double[][] expected = reference.logits(TOKENS);
    for (boolean pack : new boolean[] {true, false}) {
      try (GgufFile file = GgufFile.open(path);
          Model model = Model.load(file, kernels, TEAM, LoadOptions.defaults().withPack(pack));
          Batch batch = model.newBatch(SESSIONS * TOKENS.length, SESSIONS * TOKENS.length)) {
        // All at once, and in pieces of 1, 4 and the rest.
        for (int[] ends : new int[][] {{TOKENS.length}, {1, 5, TOKENS.length}}) {
          try (KvCache cache = model.newCache(TensorType.F32, 64)) {
            int begin = 0;
            for (int end : ends) {
              batch.clear();
              for (int i = begin; i < end; i++) {
                batch.add(cache, TOKENS[i], true);
              }
              assertTrue(model.forward(batch));
              for (int i = begin; i < end; i++) {
                compare(expected[i], batch, i - begin, name + ", position " + i);
              }
              begin = end;
            }
            assertEquals(TOKENS.length, cache.length());
          }
        }
        agreesForManySessions(expected, model, batch);
      }
    }
  }

  static Stream<Arguments> backends() {
    return Backends.names().stream().map(Arguments::of);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void agreesForAnyNumberOfRowsOnAnyTeam(String backend) {
    ReferenceTraits traits = new ReferenceTraits();
    traits.vocabulary = 16_000; // so many that members claim some of the logits
    ReferenceModel reference = new ReferenceModel(traits, 1);
    Path path = folder.resolve("model.gguf");
    reference.write(path);
    double[][] expected = reference.logits(TOKENS);
    Kernels kernels = KernelRegistry.get().byName(backend);
    try (Team one = new Team(1)) {
      for (Team team : List.of(one, TEAM)) {
        for (int rows = 1; rows <= TOKENS.length; rows++) {
          try (GgufFile file = GgufFile.open(path);
              Model model = Model.load(file, kernels, team, LoadOptions.defaults())) {
            agrees(expected, model, rows, model::forward);
            // Also as work of a member, which is a team of one then.
            agrees(
                expected,
                model,
                rows,
                batch -> {
                  boolean[] done = new boolean[1];
                  team.run(
                      (all, member) -> {
                        if (member == 0) {
                          done[0] = model.forward(batch);
                        }
                      });
                  return done[0];
                });
          }
        }
      }
    }
  }

  private static void agrees(double[][] expected, Model model, int rows, Predicate<Batch> forward) {
    try (Batch batch = model.newBatch(rows, rows);
        KvCache cache = model.newCache(TensorType.F32, 64)) {
      for (int row = 0; row < rows; row++) {
        batch.add(cache, TOKENS[row], true);
      }
      assertTrue(forward.test(batch));
      for (int row = 0; row < rows; row++) {
        compare(expected[row], batch, row, rows + " rows, row " + row);
      }
    }
  }

  private static void agreesForManySessions(double[][] expected, Model model, Batch batch) {
    List<KvCache> caches = new ArrayList<>();
    batch.clear();
    for (int session = 0; session < SESSIONS; session++) {
      KvCache cache = model.newCache(TensorType.F32, 64);
      caches.add(cache);
      for (int token : TOKENS) {
        batch.add(cache, token, true);
      }
    }
    assertTrue(model.forward(batch));
    for (int row = 0; row < batch.rows(); row++) {
      compare(expected[row % TOKENS.length], batch, row, "one of many sessions, row " + row);
    }
    caches.forEach(KvCache::close);
  }

  private static void compare(double[] expected, Batch batch, int output, String message) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int id = 0; id < expected.length; id++) {
      double actual = batch.logits(output).getAtIndex(JAVA_FLOAT, id);
      // Some hundred roundings in F32, each of at most 2^-24 of values near the largest.
      assertEquals(expected[id], actual, 500 * 0x1p-24 * Math.max(1, largest) * 4, message);
    }
  }
}
