package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Session;
import io.smallmind.convert.ModelQuantizer;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.SmallMindException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.model.ProgressListener;
import io.smallmind.testing.Backends;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoraTest {
  @TempDir private Path folder;

  private static void fillBatch(Network network) {
    for (int i = 0; i < network.tokens.length; i++) {
      network.tokens[i] = (7 * i + 3) % Texts.VOCABULARY;
      network.targets[i] = (5 * i + 1) % Texts.VOCABULARY;
    }
  }

  /** The adapters' gradients by differences of the loss, which the F32 loss allows coarsely. */
  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void gradientsAgreeWithThoseOfTheMergedWeight(Architecture architecture) {
    Texts texts = new Texts(folder, 200);
    TrainingOptions options = Texts.options().build();
    LoraConfig config = new LoraConfig(3, 6);
    try (TokenData data = texts.data(folder);
        Team team = new Team(2);
        Trainer lora = texts.trainer(architecture, options, config, data, team);
        Trainer whole = texts.trainer(architecture, options, null, data, team)) {
      LoraAdapters adapters = lora.network.adapters;
      assertTrue(adapters != null);
      for (Parameter each : adapters.parameters.all()) { // B is zero at first
        for (long i = 0; i < each.spec.length(); i++) {
          each.value.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i * 37 % 11 - 5) * 0.02f);
        }
      }
      whole.network.parameters.values.copyFrom(lora.network.parameters.values);
      adapters.mergeInto(whole.network.parameters);
      for (Network network : new Network[] {lora.network, whole.network}) {
        fillBatch(network);
        team.run(network::forward);
        team.run(network::backward);
      }
      assertEquals(whole.network.meanLoss(), lora.network.meanLoss(), 1e-5);
      for (Parameter weight : whole.network.parameters.all()) {
        Parameter a = adapters.parameters.find(weight.name() + ".lora_a");
        Parameter b = adapters.parameters.find(weight.name() + ".lora_b");
        if (a != null && b != null) {
          checkGradients(weight, a, b, config);
        }
      }
    }
  }

  /** With W = scale · B · A: dB = scale · dW · Aᵀ and dA = scale · Bᵀ · dW. */
  private static void checkGradients(Parameter weight, Parameter a, Parameter b, LoraConfig lora) {
    int n = weight.rows();
    int k = weight.columns();
    int rank = lora.rank();
    double[] expectedA = new double[rank * k];
    double[] expectedB = new double[n * rank];
    for (int row = 0; row < n; row++) {
      for (int column = 0; column < k; column++) {
        double g = lora.scale() * get(weight, row * k + column);
        for (int r = 0; r < rank; r++) {
          expectedB[row * rank + r] +=
              g * a.value.getAtIndex(ValueLayout.JAVA_FLOAT, r * k + column);
          expectedA[r * k + column] +=
              g * b.value.getAtIndex(ValueLayout.JAVA_FLOAT, row * rank + r);
        }
      }
    }
    assertNear(expectedA, a);
    assertNear(expectedB, b);
  }

  private static double get(Parameter parameter, int index) {
    return parameter.gradient.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  private static void assertNear(double[] expected, Parameter found) {
    double largest = 0;
    for (double each : expected) {
      largest = Math.max(largest, Math.abs(each));
    }
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], get(found, i), 1e-3 * largest, found.name() + " at " + i);
    }
  }

  @Test
  void adaptersLearnOnAQuantizedBaseThatStaysAsItIs() throws Exception {
    Texts texts = new Texts(folder, 300);
    Path base = folder.resolve("base.gguf");
    Path merged = folder.resolve("merged.gguf");
    Path file = folder.resolve("lora.checkpoint");
    TrainingOptions options = Texts.options().steps(60).learningRate(1e-2).build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(1)) {
      try (Trainer trainer = texts.trainer(Architecture.LLAMA, options, null, data, team)) {
        for (int i = 0; i < 30; i++) {
          trainer.step();
        }
        trainer.export(base, QuantizationMix.Q8_0);
      }
      Files.writeString(texts.file, "a cow eats the grass.\n".repeat(300));
      try (TokenData other = texts.data(folder);
          GgufFile gguf = GgufFile.open(base);
          Trainer trainer =
              texts.trainer(Architecture.LLAMA, options, new LoraConfig(8, 16), other, team)) {
        trainer.load(gguf);
        float[] before = trainer.network.parameters.values.toArray(ValueLayout.JAVA_FLOAT);
        double first = trainer.evaluate();
        while (trainer.done() < 60) {
          trainer.step();
        }
        double last = trainer.evaluate();
        assertTrue(last < first / 2, "from " + first + " to " + last);
        assertEquals(
            0,
            java.util.Arrays.compare(
                before, trainer.network.parameters.values.toArray(ValueLayout.JAVA_FLOAT)));
        trainer.export(merged, QuantizationMix.F32);
        Checkpoint.save(trainer, file);
        try (GgufFile alone = GgufFile.open(merged);
            Trainer plain = texts.trainer(Architecture.LLAMA, options, null, other, team);
            Trainer back =
                Checkpoint.resume(
                    file,
                    tokenizer -> other,
                    UnaryOperator.identity(),
                    KernelRegistry.get().choose(),
                    team)) {
          plain.load(alone);
          assertEquals(last, plain.evaluate(), 1e-4 * last);
          assertEquals(last, back.evaluate());
        }
      }
    }
  }

  private static double surprise(Path base, ModelOptions options, int[] ids) {
    try (LanguageModel model = LanguageModel.load(base, options)) {
      return model.negativeLogLikelihood(ids);
    }
  }

  /** Fills both matrices of all adapters: of a trained one neither is zero. */
  private static void fill(Trainer trainer) {
    LoraAdapters adapters = trainer.network.adapters;
    assertTrue(adapters != null);
    SplittableRandom random = new SplittableRandom(5);
    for (Parameter each : adapters.parameters.all()) {
      for (long i = 0; i < each.spec.length(); i++) {
        each.value.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (0.3 * random.nextGaussian()));
      }
    }
  }

  /** Beside the base, merged while training ends, or merged from its file: the same model. */
  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void anAdapterFileDoesWhatTheMergedModelDoes(Architecture architecture) {
    Texts texts = new Texts(folder, 100);
    Path base = folder.resolve("base.gguf");
    Path adapter = folder.resolve("adapter.gguf");
    Path merged = folder.resolve("merged.gguf");
    Path again = folder.resolve("again.gguf");
    int[] ids = new int[60];
    TrainingOptions options = Texts.options().build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(1)) {
      for (int i = 0; i < ids.length; i++) {
        ids[i] = data.token(i);
      }
      try (Trainer plain = texts.trainer(architecture, options, null, data, team)) {
        plain.export(base, QuantizationMix.F32);
        assertThrows(BadArgumentException.class, () -> plain.exportAdapter(adapter));
      }
      try (GgufFile gguf = GgufFile.open(base);
          Trainer lora = texts.trainer(architecture, options, new LoraConfig(5, 7), data, team)) {
        lora.load(gguf);
        fill(lora);
        lora.exportAdapter(adapter);
        lora.export(merged, QuantizationMix.F32);
      }
      ModelQuantizer.merge(
          base, adapter, 1, again, QuantizationMix.F32, false, team, ProgressListener.none());
    }
    for (String backend : Backends.names()) {
      ModelOptions on = ModelOptions.defaults().withBackend(backend);
      double plain = surprise(base, on, ids);
      double expected = surprise(merged, on, ids);
      assertTrue(Math.abs(expected - plain) > 0.1, plain + " and " + expected);
      assertEquals(expected, surprise(again, on, ids), 1e-5 * expected, backend);
      // Keys and values are rounded to F16, and may fall to the other side of a step.
      double beside = surprise(base, on.withAdapter(adapter, 1), ids);
      assertEquals(expected, beside, 0.05 * Math.abs(expected - plain), backend);
      assertEquals(plain, surprise(base, on.withAdapter(adapter, 0), ids), 1e-12, backend);
      if (backend.equals("scalar")) {
        // However few tokens a pass has, the bits are the same.
        for (int rows : new int[] {1, 3, 17}) {
          assertEquals(beside, surprise(base, on.withAdapter(adapter, 1).withBatchRows(rows), ids));
        }
        ModelOptions alone = on.withThreads(1).withAdapter(adapter, 1);
        assertEquals(last(base, alone.withBatchRows(3), ids), last(base, alone, ids));
      }
    }
  }

  /** Returns how probable the next tokens are, behind a text read in passes as large as may be. */
  private static List<?> last(Path base, ModelOptions options, int[] ids) {
    GenerationOptions one =
        GenerationOptions.builder().temperature(0).maxTokens(1).logProbabilities(5).build();
    try (LanguageModel model = LanguageModel.load(base, options);
        Session session = model.newSession()) {
      return session.generate(ids, one, null).logProbabilities();
    }
  }

  @Test
  void adaptersThatFitNotAreRefusedByName() {
    Texts texts = new Texts(folder, 100);
    Path base = folder.resolve("base.gguf");
    Path adapter = folder.resolve("adapter.gguf");
    Path edited = folder.resolve("edited.gguf");
    TrainingOptions options = Texts.options().build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer lora =
            texts.trainer(Architecture.LLAMA, options, new LoraConfig(2, 4), data, team)) {
      lora.export(base, QuantizationMix.F32);
      lora.exportAdapter(adapter);
    }
    UnaryOperator<String> same = name -> name;
    refuses(base, adapter, edited, "general.type", w -> w.put("general.type", "model"), same);
    refuses(base, adapter, edited, "adapter.type", w -> w.put("adapter.type", "ia3"), same);
    refuses(base, adapter, edited, "gpt2", w -> w.put("general.architecture", "gpt2"), same);
    refuses(base, adapter, edited, "alpha", w -> w.remove("adapter.lora.alpha"), same);
    refuses(base, adapter, edited, "blk.9.", w -> {}, n -> n.replace("blk.1.", "blk.9."));
    refuses(base, adapter, edited, "attn_k", w -> {}, n -> n.replace("attn_q", "attn_k_norm"));
    refuses(base, adapter, edited, "no part", w -> {}, n -> n.replace("blk.1.ffn_up", "x_b") + "c");
    refuses(
        base, adapter, edited, "lora_b", w -> {}, n -> n.replace("up.weight.lora_b", "x.lora_b"));
    refuses(
        base, adapter, edited, "shapes", w -> {}, n -> swap(n, "blk.0.ffn_down", "blk.0.ffn_up"));
    refuses(base, base, edited, "general.type", w -> {}, same);
  }

  private static String swap(String name, String one, String other) {
    return name.startsWith(one)
        ? name.replace(one, other)
        : name.startsWith(other) ? name.replace(other, one) : name;
  }

  private static void refuses(
      Path base,
      Path adapter,
      Path edited,
      String named,
      Consumer<GgufWriter> change,
      UnaryOperator<String> names) {
    try (GgufFile file = GgufFile.open(adapter)) {
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      change.accept(writer);
      for (GgufTensor tensor : file.tensors()) {
        writer.tensor(names.apply(tensor.name()), tensor.type(), tensor.shape(), file.data(tensor));
      }
      writer.write(edited);
    }
    ModelOptions options = ModelOptions.defaults().withAdapter(edited, 1);
    SmallMindException e =
        assertThrows(SmallMindException.class, () -> LanguageModel.load(base, options));
    assertTrue(e.getMessage().contains(named), e.getMessage());
    assertTrue(e.getMessage().contains("edited.gguf"), e.getMessage());
  }
}
