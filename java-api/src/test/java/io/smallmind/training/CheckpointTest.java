package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.LanguageModel;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.FileWriteException;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
  private static final int KILLS = 3;

  @TempDir private Path folder;

  private static Trainer resume(Path file, Texts texts, Team team) {
    return Checkpoint.resume(
        file, texts::data, UnaryOperator.identity(), KernelRegistry.get().choose(), team);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aResumedRunIsTheUninterruptedOneBitForBit(boolean lora) {
    Texts texts = new Texts(folder, 200);
    Path file = folder.resolve("run.checkpoint");
    LoraConfig adapters = lora ? new LoraConfig(4, 8) : null;
    TrainingOptions options = Texts.options().dropout(0.1).accumulation(2).steps(30).build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(2);
        Trainer whole = texts.trainer(Architecture.LLAMA, options, adapters, data, team);
        Trainer first = texts.trainer(Architecture.LLAMA, options, adapters, data, team)) {
      while (whole.done() < 30) {
        whole.step();
      }
      while (first.done() < 13) {
        first.step();
      }
      first.evaluate();
      Checkpoint.save(first, file);
      try (Trainer second = resume(file, texts, team)) {
        assertEquals(options, second.options());
        while (second.done() < 30) {
          second.step();
        }
        assertEquals(-1, whole.network.trained().values.mismatch(second.network.trained().values));
        assertEquals(
            -1,
            whole.network.trained().secondMoments.mismatch(second.network.trained().secondMoments));
        assertTrue(Arrays.equals(whole.history().losses(), second.history().losses()));
        assertEquals(1, second.history().evaluations().length);
        second.data.close();
      }
    }
  }

  @Test
  void aCheckpointIsAModel() {
    Texts texts = new Texts(folder, 200);
    Path file = folder.resolve("run.checkpoint");
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer trainer =
            texts.trainer(Architecture.GPT2, Texts.options().build(), null, data, team)) {
      trainer.step();
      Checkpoint.save(trainer, file);
    }
    try (LanguageModel model = LanguageModel.load(file)) {
      assertEquals(Texts.VOCABULARY, model.config().vocabularySize());
    }
  }

  @Test
  void damageIsNoticed() throws IOException {
    Texts texts = new Texts(folder, 200);
    Path file = folder.resolve("run.checkpoint");
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer trainer =
            texts.trainer(Architecture.LLAMA, Texts.options().build(), null, data, team)) {
      Checkpoint.save(trainer, file);
      byte[] whole = Files.readAllBytes(file);
      for (int at : new int[] {9, whole.length / 2, whole.length - 3}) {
        byte[] damaged = whole.clone();
        damaged[at] ^= 4;
        Files.write(file, damaged);
        assertThrows(BadModelFileException.class, () -> resume(file, texts, team), "byte " + at);
      }
      Files.write(file, Arrays.copyOf(whole, whole.length - 100));
      assertThrows(BadModelFileException.class, () -> resume(file, texts, team));
      Files.delete(file);
      assertThrows(BadModelFileException.class, () -> resume(file, texts, team));
      Files.write(file, whole);
      Files.writeString(texts.file, "another text ".repeat(200));
      BadArgumentException e =
          assertThrows(BadArgumentException.class, () -> resume(file, texts, team));
      assertTrue(e.getMessage().contains("another text"), e.getMessage());
      assertThrows(
          FileWriteException.class,
          () -> Checkpoint.save(trainer, folder.resolve("absent").resolve("file")));
    }
  }

  /** Kills a process that does nothing but save, at some moment; a whole file must be there. */
  @Test
  void whateverKillsTheProcessLeavesAWholeCheckpoint() throws Exception {
    Texts texts = new Texts(folder, 200);
    Path file = folder.resolve("run.checkpoint");
    for (int kill = 0; kill < KILLS; kill++) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-Xshare:auto",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Saver.class.getName(),
                  folder.toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("log").toFile())
              .start();
      try {
        awaitSaving(process, file);
        Thread.sleep(20 + 37L * kill);
      } finally {
        process.destroyForcibly().waitFor(); // SIGKILL
      }
      try (Team team = new Team(1);
          Trainer trainer = resume(file, texts, team)) {
        assertTrue(trainer.done() >= 1, () -> "steps: " + trainer.done());
        trainer.data.close();
      }
      Files.delete(file);
    }
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer trainer =
            texts.trainer(Architecture.LLAMA, Texts.options().build(), null, data, team)) {
      Checkpoint.save(trainer, file);
    }
    try (var files = Files.list(folder)) {
      List<Path> leftovers = files.filter(each -> each.toString().endsWith(".tmp")).toList();
      assertEquals(List.of(), leftovers, "saving clears away what killed processes left");
    }
  }

  private void awaitSaving(Process process, Path file) throws Exception {
    for (int i = 0; !Files.exists(file); i++) {
      assertTrue(
          i < 6000 && process.isAlive(), () -> "no checkpoint: see " + folder.resolve("log"));
      Thread.sleep(10);
    }
  }

  /** Trains and saves until it is killed. */
  static final class Saver {
    private Saver() {}

    public static void main(String[] arguments) {
      Path folder = Path.of(arguments[0]);
      Texts texts = new Texts(folder, 200);
      try (TokenData data = texts.data(folder);
          Team team = new Team(1);
          Trainer trainer =
              new Trainer(
                  Texts.config(Architecture.LLAMA),
                  Texts.options().steps(1_000_000).build(),
                  texts.entries,
                  null,
                  data,
                  KernelRegistry.get().byName("scalar"),
                  team)) {
        trainer.step();
        for (; ; ) {
          Checkpoint.save(trainer, folder.resolve("run.checkpoint"));
        }
      }
    }
  }
}
