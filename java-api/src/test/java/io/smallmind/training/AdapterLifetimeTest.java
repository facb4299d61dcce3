package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.LoadOptions;
import io.smallmind.model.LoraAdapter;
import io.smallmind.model.Model;
import io.smallmind.tensor.TensorType;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models read an adapter's memory by its address, so it must live as long as they do. */
class AdapterLifetimeTest {
  private static final Kernels KERNELS = KernelRegistry.get().choose();

  @TempDir private Path folder;
  private Path base = Path.of("");
  private Path adapter = Path.of("");

  @BeforeEach
  void write() {
    Texts texts = new Texts(folder, 100);
    base = folder.resolve("base.gguf");
    adapter = folder.resolve("adapter.gguf");
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer lora =
            texts.trainer(
                Architecture.LLAMA, Texts.options().build(), new LoraConfig(2, 4), data, team)) {
      lora.export(base, QuantizationMix.F32);
      lora.step();
      lora.exportAdapter(adapter);
    }
  }

  private static float[] scores(Model model) {
    try (KvCache cache = model.newCache(TensorType.F16, 4);
        Batch batch = model.newBatch(4, 1)) {
      batch.add(cache, 5, false);
      batch.add(cache, 6, true);
      assertTrue(model.forward(batch));
      return batch.logits(0).toArray(JAVA_FLOAT);
    }
  }

  @Test
  void modelsHoldTheAdapterThatTheyShare() {
    try (GgufFile file = GgufFile.open(base);
        Team team = new Team(1)) {
      LoraAdapter changes = LoraAdapter.open(adapter, 1, file);
      LoadOptions options = LoadOptions.defaults().withAdapter(changes);
      Model first = Model.load(file, KERNELS, team, options);
      float[] expected = scores(first);
      try (Model second = Model.load(file, KERNELS, team, options)) {
        first.close();
        changes.close();
        assertArrayEquals(expected, scores(second));
        assertThrows(ClosedException.class, () -> Model.load(file, KERNELS, team, options));
        assertThrows(ClosedException.class, changes::checksum);
        assertThrows(ClosedException.class, () -> changes.addTo("any", 0, new float[1]));
      }
    }
  }

  @Test
  void adaptersOfOtherShapesAreRefused() {
    NetworkConfig wide =
        new NetworkConfig(
            Architecture.LLAMA, Texts.VOCABULARY, 64, 64, 2, 4, 2, 16, 64, 10_000, 1e-5f, false);
    Path other = folder.resolve("other.gguf");
    Texts texts = new Texts(folder, 100);
    TrainingOptions training = Texts.options().build();
    try (TokenData data = texts.data(folder);
        Team team = new Team(1);
        Trainer trainer = new Trainer(wide, training, texts.entries, null, data, KERNELS, team)) {
      trainer.export(other, QuantizationMix.F32);
      try (GgufFile file = GgufFile.open(base);
          GgufFile wider = GgufFile.open(other);
          LoraAdapter changes = LoraAdapter.open(adapter, 1, file)) {
        LoadOptions options = LoadOptions.defaults().withAdapter(changes);
        BadArgumentException e =
            assertThrows(
                BadArgumentException.class, () -> Model.load(wider, KERNELS, team, options));
        assertTrue(e.getMessage().contains("another model"), e.getMessage());
      }
    }
  }

  @Test
  void strengthsHaveDifferentChecksums() {
    try (GgufFile file = GgufFile.open(base);
        LoraAdapter whole = LoraAdapter.open(adapter, 1, file);
        LoraAdapter half = LoraAdapter.open(adapter, 0.5, file);
        LoraAdapter again = LoraAdapter.open(adapter, 1, file)) {
      assertEquals(whole.checksum(), again.checksum());
      assertNotEquals(whole.checksum(), half.checksum());
    }
  }

  @Test
  void progressReachesItsTotal() {
    AtomicLong done = new AtomicLong();
    AtomicLong total = new AtomicLong(-1);
    ModelOptions options =
        ModelOptions.defaults()
            .withProgress(
                (now, all, what) -> {
                  assertTrue(now >= done.get(), what);
                  done.set(now);
                  total.set(all);
                });
    LanguageModel.load(base, options).close();
    assertEquals(total.get(), done.get());
  }
}
