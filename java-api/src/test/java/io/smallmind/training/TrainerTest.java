package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.TrainingDivergedException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
  @TempDir private Path folder;
  private Texts texts;
  private TokenData data;
  private final Team team = new Team(2);

  @BeforeEach
  void prepare() {
    texts = new Texts(folder, 400);
    data = texts.data(folder);
  }

  @AfterEach
  void end() {
    data.close();
    team.close();
  }

  private Trainer trainer(Architecture architecture, TrainingOptions options) {
    return texts.trainer(architecture, options, null, data, team);
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void learnsALanguage(Architecture architecture) {
    TrainingOptions options = Texts.options().steps(150).learningRate(1e-2).build();
    try (Trainer trainer = trainer(architecture, options)) {
      double before = trainer.evaluate();
      while (trainer.done() < 150) {
        trainer.step();
      }
      double after = trainer.evaluate();
      assertEquals(Math.log(Texts.VOCABULARY), before, 0.2);
      // Four equally likely words at three places of a sentence; the rest follows.
      assertTrue(after < 1.5, "from " + before + " to " + after);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void inferenceComputesTheSame(Architecture architecture) {
    Path file = folder.resolve("model.gguf");
    TrainingOptions options = Texts.options().validation(0).batch(1).context(32).build();
    try (Trainer trainer = trainer(architecture, options)) {
      for (int i = 0; i < 20; i++) {
        trainer.step();
      }
      trainer.export(file, QuantizationMix.F32);
      int[] ids = new int[33];
      for (int i = 0; i < 33; i++) {
        ids[i] = data.token(100 + i);
      }
      System.arraycopy(ids, 0, trainer.network.tokens, 0, 32);
      System.arraycopy(ids, 1, trainer.network.targets, 0, 32);
      trainer.network.begin(0, false);
      team.run(trainer.network::forward);
      try (LanguageModel model =
          LanguageModel.load(file, ModelOptions.defaults().withBackend("scalar"))) {
        double expected = model.negativeLogLikelihood(ids);
        // Inference keeps keys and values in F16, which rounds them by 2^-11.
        assertEquals(expected, 32 * trainer.network.meanLoss(), 1e-3 * expected);
        assertEquals(architecture, model.config().architecture());
      }
    }
  }

  @Test
  void exportsInEveryTypeAndLoadsThemAgain() {
    try (Trainer trainer = trainer(Architecture.LLAMA, Texts.options().build())) {
      trainer.step();
      Path whole = folder.resolve("whole.gguf");
      trainer.export(whole, QuantizationMix.F32);
      try (Trainer other = trainer(Architecture.LLAMA, Texts.options().seed(5).build());
          GgufFile gguf = GgufFile.open(whole)) {
        other.load(gguf);
        assertEquals(Texts.config(Architecture.LLAMA).length(), NetworkConfig.of(gguf).length());
        for (Parameter parameter : trainer.network.parameters.all()) {
          Parameter loaded = other.network.parameters.get(parameter.name());
          assertEquals(-1, parameter.value.mismatch(loaded.value), parameter.name());
        }
      }
      for (QuantizationMix mix :
          new QuantizationMix[] {QuantizationMix.F16, QuantizationMix.Q8_0}) {
        Path file = folder.resolve(mix + ".gguf");
        trainer.export(file, mix);
        try (LanguageModel model = LanguageModel.load(file)) {
          int[] ids = model.tokenizer().encode("the cat sees the dog.", false, false);
          assertTrue(model.negativeLogLikelihood(ids) > 0);
          assertEquals(mix.base(), model.file().tensor("blk.0.attn_q.weight").type());
        }
      }
      try (var files = Files.list(folder)) {
        assertTrue(
            files.noneMatch(each -> each.getFileName().toString().endsWith(".tmp")),
            "nothing is left over");
      } catch (java.io.IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }

  @Test
  void aRunEvaluatesSavesAndStops() {
    TrainingOptions options = Texts.options().steps(30).evaluateEvery(5).build();
    Path checkpoint = folder.resolve("run.checkpoint");
    int[] events = new int[3];
    TrainingRun.Listener listener =
        new TrainingRun.Listener() {
          @Override
          public void step(double loss) {
            events[0]++;
          }

          @Override
          public void evaluated(double loss) {
            events[1]++;
          }

          @Override
          public void saved(Path path) {
            events[2]++;
          }
        };
    try (Trainer trainer = trainer(Architecture.LLAMA, options)) {
      assertEquals(
          TrainingRun.End.CANCELLED,
          TrainingRun.run(trainer, checkpoint, null, 10, () -> trainer.done() == 12, listener));
      assertEquals(
          TrainingRun.End.DONE,
          TrainingRun.run(trainer, checkpoint, null, 10, () -> false, listener));
      assertEquals("[30, 6, 4]", Arrays.toString(events)); // after 10, 12, 20 and 30 steps
      assertEquals(30, trainer.history().losses().length);
      assertEquals(6, trainer.history().evaluations().length);
    }
  }

  @Test
  void aRunStopsEarlyWhereNothingIsLearned() {
    TrainingOptions options =
        Texts.options().steps(100).evaluateEvery(2).patience(3).learningRate(1e-9).build();
    Path best = folder.resolve("best.checkpoint");
    try (Trainer trainer = trainer(Architecture.LLAMA, options)) {
      TrainingRun.Listener silent =
          new TrainingRun.Listener() {
            @Override
            public void step(double loss) {}

            @Override
            public void evaluated(double loss) {
              if (trainer.done() == 4) { // from here on nothing gets better
                trainer.history().addEvaluation(4, 0);
              }
            }

            @Override
            public void saved(Path path) {}
          };
      Path checkpoint = folder.resolve("run.checkpoint");
      assertEquals(
          TrainingRun.End.STOPPED_EARLY,
          TrainingRun.run(trainer, checkpoint, best, 1000, () -> false, silent));
      assertEquals(10, trainer.done());
      assertTrue(Files.exists(best));
    }
  }

  @Test
  void divergenceEndsARunAndKeepsTheLastCheckpoint() {
    Path checkpoint = folder.resolve("run.checkpoint");
    try (Trainer trainer = trainer(Architecture.LLAMA, Texts.options().build())) {
      trainer.step();
      Checkpoint.save(trainer, checkpoint);
      trainer
          .network
          .parameters
          .get("output_norm.weight")
          .value
          .set(ValueLayout.JAVA_FLOAT, 0, Float.NaN);
      TrainingDivergedException e = assertThrows(TrainingDivergedException.class, trainer::step);
      assertTrue(e.getMessage().contains("step 2"), e.getMessage());
      assertEquals(1, trainer.done());
    }
    try (Trainer back =
        Checkpoint.resume(
            checkpoint,
            tokenizer -> data,
            UnaryOperator.identity(),
            KernelRegistry.get().choose(),
            team)) {
      assertTrue(Double.isFinite(back.step()));
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThrows(
        BadArgumentException.class,
        () -> trainer(Architecture.LLAMA, Texts.options().context(65).build()));
    assertThrows(BadArgumentException.class, () -> Texts.options().dropout(1).build());
    assertThrows(BadArgumentException.class, () -> Texts.options().learningRate(0).build());
    assertThrows(BadArgumentException.class, () -> Texts.options().steps(0).build());
  }

  @Test
  void theRateRisesAndFalls() {
    TrainingOptions.Builder builder =
        TrainingOptions.builder().steps(100).warmup(10).learningRate(0.5).lastRate(0.1);
    TrainingOptions cosine = builder.build();
    assertEquals(0.05, cosine.rate(1), 1e-12);
    assertEquals(0.5, cosine.rate(10), 1e-12);
    assertEquals(0.275, cosine.rate(55), 1e-12);
    assertEquals(0.05, cosine.rate(100), 1e-12);
    TrainingOptions linear = builder.schedule(TrainingOptions.Schedule.LINEAR).build();
    assertEquals(0.5 * (0.1 + 0.9 * 2 / 3), linear.rate(40), 1e-12);
    TrainingOptions constant = builder.schedule(TrainingOptions.Schedule.CONSTANT).build();
    assertEquals(0.5, constant.rate(100), 1e-12);
  }
}
