package io.smallmind.model;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Pooling;
import io.smallmind.Session;
import io.smallmind.error.SmallMindException;
import io.smallmind.gguf.Bytes;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.sampling.Grammar;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.Backends;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are well-formed but no models: a typed error before any kernel runs. */
class HostileModelTest {
  /** Of all families together. */
  private static final int MUTATIONS = 100_000;

  @TempDir private Path folder;

  private record Edit(Consumer<GgufWriter> metadata, UnaryOperator<String> names, String named) {}

  static Stream<Arguments> edits() {
    UnaryOperator<String> same = name -> name;
    return Stream.of(
        Arguments.of("one layer more", new Edit(w -> w.put("llama.block_count", 6), same, "blk.5")),
        Arguments.of(
            "no embedding",
            new Edit(w -> w.put("llama.embedding_length", 0), same, "embedding_length")),
        Arguments.of(
            "7 heads", new Edit(w -> w.put("llama.attention.head_count", 7), same, "head_count")),
        Arguments.of(
            "3 key heads",
            new Edit(w -> w.put("llama.attention.head_count_kv", 3), same, "head_count_kv")),
        Arguments.of(
            "beginning token out of range",
            new Edit(w -> w.put("tokenizer.ggml.bos_token_id", 512), same, "bos_token_id")),
        Arguments.of(
            "a tensor renamed",
            new Edit(
                w -> {},
                name -> name.equals("blk.2.attn_k.weight") ? "blk.2.attn_x.weight" : name,
                "blk.2.attn_k.weight")),
        Arguments.of(
            "more experts than there are",
            new Edit(
                w -> w.put("llama.expert_count", 2).put("llama.expert_used_count", 3),
                same,
                "expert_used_count")),
        Arguments.of(
            "an unknown family",
            new Edit(w -> w.put("general.architecture", "abacus"), same, "abacus")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("edits")
  void isRefusedByName(String what, Edit edit) {
    Path path = folder.resolve("edited.gguf");
    try (GgufFile file = GgufFile.open(TestData.path("models/stories260K.gguf"))) {
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      edit.metadata().accept(writer);
      for (GgufTensor tensor : file.tensors()) {
        writer.tensor(
            edit.names().apply(tensor.name()), tensor.type(), tensor.shape(), file.data(tensor));
      }
      writer.write(path);
    }
    SmallMindException error =
        assertThrows(SmallMindException.class, () -> LanguageModel.load(path).close());
    assertTrue(error.getMessage().contains(edit.named()), error.getMessage());
  }

  /** Weights may hold any bits: they give useless text, and nothing worse. */
  @ParameterizedTest
  @ValueSource(ints = {0xFF, 0x7F, 0x80, 0x55})
  void weightsMayBeAnything(int value) {
    Path path = folder.resolve("weights.gguf");
    try (GgufFile file = GgufFile.open(TestData.path("models/stories260K-Q8_0.gguf"))) {
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      for (GgufTensor tensor : file.tensors()) {
        byte[] bytes = new byte[(int) tensor.bytes()];
        Arrays.fill(bytes, (byte) value);
        writer.tensor(tensor.name(), tensor.type(), tensor.shape(), MemorySegment.ofArray(bytes));
      }
      writer.write(path);
    }
    GenerationOptions.Builder options = GenerationOptions.builder().maxTokens(8).ignoreEnd(true);
    for (String backend : Backends.names()) {
      try (LanguageModel model =
              LanguageModel.load(path, ModelOptions.defaults().withBackend(backend));
          Session session = model.newSession()) {
        for (double temperature : new double[] {0, 0.8}) {
          options.temperature(temperature).draftTokens(4).typicalP(temperature == 0 ? 1 : 0.9);
          assertEquals(8, session.generate("Once upon", options.build()).ids().length);
        }
        options.constraint(Grammar.parse("root ::= [a-z ]{1,40}"));
        GenerationResult kept = session.generate("Once upon", options.build());
        assertTrue(kept.text().matches("[a-z ]*"), kept.text());
        options.constraint(null).logProbabilities(3);
        assertEquals(8, session.generate("Once", options.build()).logProbabilities().size());
        assertEquals(64, model.embed("Once", Pooling.MEAN).length);
      }
    }
  }

  static Stream<Arguments> families() {
    return Stream.of(
        Arguments.of(
            "mixtral",
            traits(
                t -> {
                  t.window = 4;
                  t.experts = 3;
                  t.used = 2;
                })),
        Arguments.of("qwen3", traits(t -> t.headNorms = true)),
        Arguments.of(
            "gemma2",
            traits(
                t -> {
                  t.architecture = "gemma2";
                  t.postNorms = true;
                  t.scoreCap = 5;
                  t.logitCap = 3;
                  t.tied = true;
                  t.window = 4;
                })),
        Arguments.of(
            "gpt2",
            traits(
                t -> {
                  t.architecture = "gpt2";
                  t.kvHeads = t.heads;
                  t.fused = true;
                  t.layerNorm = true;
                  t.biases = true;
                  t.gated = false;
                  t.learnedPositions = true;
                  t.tied = true;
                })));
  }

  private static ReferenceTraits traits(Consumer<ReferenceTraits> change) {
    ReferenceTraits traits = new ReferenceTraits();
    traits.layers = 1;
    change.accept(traits);
    return traits;
  }

  /** Packs one model in eight: to zero the memory for that takes longer than all the rest. */
  private static LoadOptions options(int mutation) {
    return LoadOptions.defaults().withPack(mutation % 8 == 0);
  }

  /** Changes bytes of the header; what still loads must also run. */
  @Execution(ExecutionMode.CONCURRENT)
  @ParameterizedTest(name = "{0}")
  @MethodSource("families")
  void mutationsGiveTypedErrorsOrRun(String name, ReferenceTraits traits) throws IOException {
    Path path = folder.resolve(name + ".gguf");
    new ReferenceModel(traits, name.hashCode()).write(path);
    int header;
    try (GgufFile file = GgufFile.open(path)) {
      header = (int) file.tensors().getFirst().offset();
    }
    Kernels kernels = KernelRegistry.get().byName("scalar");
    long[] interesting = {0, 1, 2, 7, 31, 33, 255, 256, 65_535, 1L << 31, (1L << 32) - 1, -1};
    Random random = new Random(42);
    int mutations = MUTATIONS / 4;
    int ran = 0;
    try (Team team = new Team(1);
        Arena arena = Arena.ofShared()) {
      // In memory: to map and unmap a file takes longer than to read its header.
      MemorySegment image = arena.allocate(Files.size(path), 64);
      image.copyFrom(MemorySegment.ofArray(Files.readAllBytes(path)));
      MemorySegment original = MemorySegment.ofArray(image.asSlice(0, header).toArray(JAVA_BYTE));
      for (int mutation = 0; mutation < mutations; mutation++) {
        int at = random.nextInt(header - 4);
        int length = 1 + random.nextInt(4);
        long value =
            random.nextBoolean()
                ? random.nextLong()
                : interesting[random.nextInt(interesting.length)];
        for (int i = 0; i < length; i++) {
          image.set(JAVA_BYTE, at + i, (byte) (value >> 8 * i));
        }
        try (GgufFile file = Bytes.parse(image);
            Model model = Model.load(file, kernels, team, options(mutation));
            Batch batch = model.newBatch(2, 1);
            KvCache cache = model.newCache(TensorType.F16, 8)) {
          batch.add(cache, 1, false);
          batch.add(cache, 2, true);
          assertTrue(model.forward(batch));
          ran++;
        } catch (SmallMindException expected) {
          // The only kind of error there may be.
        }
        MemorySegment.copy(original, at, image, at, length);
      }
    }
    assertTrue(ran > mutations / 50, ran + " mutants ran");
    assertTrue(ran < mutations, "no mutant was refused");
  }
}
