package io.smallmind.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.GenerationOptions;
import io.smallmind.LanguageModel;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.ClosedException;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that were cut into several files. */
class GgufPartsTest {
  private static final String MODEL = "models/stories260K.gguf";

  @TempDir private Path folder;

  private Path part(int number, int count) {
    return folder.resolve(String.format(Locale.ROOT, "m-%05d-of-%05d.gguf", number, count));
  }

  /** Writes the model in three parts; returns the first one's path. */
  private Path cut() {
    try (GgufFile whole = GgufFile.open(TestData.path(MODEL))) {
      List<GgufTensor> tensors = whole.tensors();
      for (int part = 0; part < 3; part++) {
        GgufWriter writer = new GgufWriter();
        if (part == 0) {
          writer.putAll(whole.metadata());
          writer.put("split.tensors.count", tensors.size());
        }
        writer.put("split.no", part).put("split.count", 3);
        int end = tensors.size() * (part + 1) / 3;
        for (int i = tensors.size() * part / 3; i < end; i++) {
          writer.tensor(whole, tensors.get(i));
        }
        writer.write(part(part + 1, 3));
      }
    }
    return part(1, 3);
  }

  private static void edit(Path path, String key, long value) {
    try (GgufFile file = GgufFile.openPart(path)) {
      GgufWriter writer =
          new GgufWriter()
              .putAll(file.metadata())
              .put(key, GgufValue.integer(GgufType.INT64, value));
      file.tensors().forEach(tensor -> writer.tensor(file, tensor));
      writer.write(path);
    }
  }

  private static void refused(Path path, String... named) {
    BadModelFileException error =
        assertThrows(BadModelFileException.class, () -> GgufFile.open(path).close());
    for (String each : named) {
      assertTrue(error.getMessage().contains(each), error.getMessage());
    }
  }

  @Test
  void areLikeOneFile() {
    Path first = cut();
    GgufTensor last;
    try (GgufFile whole = GgufFile.open(TestData.path(MODEL));
        GgufFile joined = GgufFile.open(first)) {
      assertEquals(whole.metadata().keys(), joined.metadata().keys());
      assertEquals(whole.tensors().size(), joined.tensors().size());
      assertTrue(joined.size() > whole.size() * 9 / 10);
      for (GgufTensor tensor : whole.tensors()) {
        assertEquals(-1, whole.data(tensor).mismatch(joined.data(joined.tensor(tensor.name()))));
      }
      last = joined.tensors().getLast();
      joined.acquire();
      joined.close();
      joined.release();
      assertThrows(ClosedException.class, () -> joined.data(last));
    }
    try (LanguageModel whole = LanguageModel.load(TestData.path(MODEL));
        LanguageModel joined = LanguageModel.load(first);
        var a = whole.newSession();
        var b = joined.newSession()) {
      GenerationOptions options = GenerationOptions.greedy(20);
      assertArrayEquals(a.generate("Once", options).ids(), b.generate("Once", options).ids());
    }
  }

  @Test
  void othersThanTheFirstSayWhichThatIs() {
    cut();
    refused(part(2, 3), "part 2 of 3", part(1, 3).toString());
  }

  @Test
  void missingOnesAreNamed() throws IOException {
    Path first = cut();
    Files.delete(part(3, 3));
    refused(first, part(3, 3).toString(), "no such file");
  }

  @Test
  void othersModelsPartsAreRefused() throws IOException {
    Path first = cut();
    Files.copy(part(2, 3), part(3, 3), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    refused(first, part(3, 3).toString(), "split.no = 1");
    edit(part(3, 3), "split.no", 2);
    refused(first, "stands in", part(2, 3).toString());
    cut();
    edit(part(2, 3), "split.count", 4);
    refused(first, "split.count = 4");
    cut();
    edit(first, "split.tensors.count", 7);
    refused(first, "split.tensors.count = 7");
    cut();
    for (long count : new long[] {-1, 100_000, Long.MAX_VALUE}) {
      edit(first, "split.count", count);
      refused(first, "split.count");
    }
  }

  @Test
  void renamedOnesAreRefused() throws IOException {
    Path renamed = folder.resolve("renamed.gguf");
    Files.move(cut(), renamed);
    refused(renamed, "-00001-of-00003.gguf");
    Files.move(renamed, part(1, 2));
    refused(part(1, 2), "-00001-of-00003.gguf");
  }

  @Test
  void oneOfOneIsWhole() {
    try (GgufFile whole = GgufFile.open(TestData.path(MODEL))) {
      GgufWriter writer = new GgufWriter().putAll(whole.metadata());
      writer.put("split.no", 0).put("split.count", 1);
      whole.tensors().forEach(tensor -> writer.tensor(whole, tensor));
      writer.write(folder.resolve("any.gguf"));
    }
    GgufFile.open(folder.resolve("any.gguf")).close();
  }
}
