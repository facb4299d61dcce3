package io.smallmind.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.kernels.Team;
import io.smallmind.model.ProgressListener;
import io.smallmind.tensor.TensorType;
import io.smallmind.testing.TestData;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelQuantizerTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(QuantizationMix.class)
  void everyMixLoadsAndRuns(QuantizationMix mix) {
    Path source = synthetic("tiny-llama", QuantizationMix.F32);
    Path target = folder.resolve("out.gguf");
    quantize(source, target, mix, false);
    try (GgufFile file = GgufFile.open(target)) {
      assertEquals(mix.fileType(), file.metadata().integer("general.file_type"));
      assertEquals(mix.base(), file.tensor("blk.0.ffn_up.weight").type());
      assertEquals(TensorType.F32, file.tensor("blk.0.attn_norm.weight").type());
    }
    try (LanguageModel model = LanguageModel.load(target);
        var session = model.newSession()) {
      var result = session.generate("hello", options());
      assertEquals(3, result.ids().length);
    }
  }

  @Test
  void givesBetterTypesToSensitiveTensors() {
    QuantizationMix.Model model = new QuantizationMix.Model(32, 4, 0, false);
    assertEquals(TensorType.Q6_K, type("output.weight", model));
    assertEquals(TensorType.Q6_K, type("blk.0.attn_v.weight", model));
    assertEquals(TensorType.Q4_K, type("blk.4.attn_v.weight", model));
    assertEquals(TensorType.Q6_K, type("blk.6.ffn_down.weight", model));
    assertEquals(TensorType.Q6_K, type("blk.31.ffn_down.weight", model));
    assertEquals(TensorType.Q4_K, type("blk.31.ffn_up.weight", model));
    assertEquals(TensorType.Q4_K, type("token_embd.weight", model));
    QuantizationMix.Model tied = new QuantizationMix.Model(32, 4, 0, true);
    assertEquals(TensorType.Q6_K, type("token_embd.weight", tied));
  }

  private static TensorType type(String name, QuantizationMix.Model model) {
    return QuantizationMix.Q4_K_M.typeOf(name, 4096, model, false);
  }

  @Test
  void takesAnotherTypeWhereBlocksDontFit() {
    QuantizationMix.Model model = new QuantizationMix.Model(2, 1, 0, false);
    String name = "blk.1.ffn_up.weight";
    assertEquals(TensorType.Q5_0, QuantizationMix.Q4_K_M.typeOf(name, 96, model, false));
    assertEquals(TensorType.Q5_1, QuantizationMix.Q5_K_M.typeOf(name, 96, model, false));
    assertEquals(TensorType.Q8_0, QuantizationMix.Q6_K.typeOf(name, 96, model, false));
    assertEquals(TensorType.IQ4_NL, QuantizationMix.Q2_K.typeOf(name, 96, model, false));
    assertEquals(TensorType.F16, QuantizationMix.Q4_K_M.typeOf(name, 172, model, false));
    assertEquals(TensorType.F16, QuantizationMix.Q4_0.typeOf(name, 172, model, false));
  }

  @Test
  void agreesWithGgmlByteForByte() {
    Path source = TestData.path("models/tinystories-656k-F32.gguf");
    Path target = folder.resolve("out.gguf");
    quantize(source, target, QuantizationMix.Q4_0, true);
    try (GgufFile ours = GgufFile.open(target);
        GgufFile theirs = GgufFile.open(TestData.path("models/tinystories-656k-Q4_0.gguf"))) {
      int compared = 0;
      for (GgufTensor tensor : theirs.tensors()) {
        GgufTensor mine = ours.tensor(tensor.name());
        if (tensor.type() == mine.type()) {
          assertEquals(-1, theirs.data(tensor).mismatch(ours.data(mine)), tensor.name());
          compared += tensor.type() == TensorType.Q4_0 ? 1 : 0;
        }
      }
      assertTrue(compared > 0);
    }
  }

  @Test
  void mayReplaceItsSource() {
    Path file = synthetic("tiny-gpt2", QuantizationMix.Q8_0);
    quantize(file, file, QuantizationMix.F16, true);
    try (GgufFile now = GgufFile.open(file)) {
      assertEquals(TensorType.F16, now.tensor("blk.0.attn_qkv.weight").type());
    }
  }

  @Test
  void refusesWhatItCannotDo() {
    assertThrows(BadArgumentException.class, () -> QuantizationMix.byName("Q9"));
    assertEquals(QuantizationMix.Q4_K_M, QuantizationMix.byName("q4_k"));
    assertThrows(
        BadModelFileException.class,
        () ->
            quantize(
                folder.resolve("absent.gguf"),
                folder.resolve("out.gguf"),
                QuantizationMix.Q4_0,
                false));
  }

  private static void quantize(Path source, Path target, QuantizationMix mix, boolean pure) {
    ModelQuantizer.quantize(source, target, mix, pure, Team.shared(), ProgressListener.none());
  }

  private Path synthetic(String shape, QuantizationMix mix) {
    Path path = folder.resolve(shape + ".gguf");
    SyntheticModel.write(
        path, ModelShape.byName(shape), mix, 1, false, Team.shared(), ProgressListener.none());
    return path;
  }

  private static GenerationOptions options() {
    return GenerationOptions.builder().temperature(0).maxTokens(3).ignoreEnd(true).build();
  }
}
