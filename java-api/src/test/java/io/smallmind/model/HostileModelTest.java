package io.smallmind.model;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.LanguageModel;
import io.smallmind.error.SmallMindException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that are well-formed but no models: a typed error before any kernel runs. */
class HostileModelTest {
  private static final int MUTATIONS = 20_000;

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

  /** Changes bytes of the header; what still loads must also run. */
  @Test
  void mutationsGiveTypedErrorsOrRun() throws IOException {
    ReferenceModel.Traits traits = new ReferenceModel.Traits();
    traits.layers = 1;
    traits.window = 4;
    traits.experts = 3;
    traits.used = 2;
    Path path = folder.resolve("mutated.gguf");
    new ReferenceModel(traits, 1).write(path);
    byte[] original = Files.readAllBytes(path);
    int header;
    try (GgufFile file = GgufFile.open(path)) {
      header = (int) file.tensors().getFirst().offset();
    }
    Kernels kernels = KernelRegistry.get().available().getLast();
    long[] interesting = {0, 1, 2, 7, 31, 33, 255, 256, 65_535, 1L << 31, (1L << 32) - 1, -1};
    Random random = new Random(42);
    int ran = 0;
    try (Team team = new Team(1);
        RandomAccessFile out = new RandomAccessFile(path.toFile(), "rw")) {
      for (int mutation = 0; mutation < MUTATIONS; mutation++) {
        int at = random.nextInt(header - 4);
        int length = 1 + random.nextInt(4);
        long value =
            random.nextBoolean()
                ? random.nextLong()
                : interesting[random.nextInt(interesting.length)];
        for (int i = 0; i < length; i++) {
          out.seek(at + i);
          out.write((int) (value >> 8 * i));
        }
        try (GgufFile file = GgufFile.open(path);
            Model model = Model.load(file, kernels, team, LoadOptions.defaults());
            Batch batch = model.newBatch(2, 1);
            KvCache cache = model.newCache(TensorType.F16, 8)) {
          batch.add(cache, 1, false);
          batch.add(cache, 2, true);
          assertTrue(model.forward(batch));
          ran++;
        } catch (SmallMindException expected) {
          // The only kind of error there may be.
        }
        out.seek(at);
        out.write(original, at, length);
      }
    }
    assertTrue(ran > MUTATIONS / 20, ran + " mutants ran");
    assertTrue(ran < MUTATIONS, "no mutant was refused");
  }
}
