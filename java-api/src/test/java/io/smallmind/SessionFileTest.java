package io.smallmind;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.convert.SyntheticModel;
import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.SmallMindException;
import io.smallmind.kernels.Team;
import io.smallmind.model.ProgressListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files of saved sessions that are damaged, or made to do harm: typed errors, or a session. */
@Timeout(300)
class SessionFileTest {
  private static final int[] IDS = {5, 9, 200, 9, 31};
  private static final SessionOptions OPTIONS = SessionOptions.defaults().withContextLength(80);

  /** Magic number, version, model, cache type "F16", tokens with their number, remembered ones. */
  private static final int HEADER = 4 + 4 + 8 + 2 + 3 + 4 + 4 * IDS.length + 4;

  @TempDir private Path folder;
  private Path file = Path.of("");
  private byte[] whole = {};
  private LanguageModel model;

  @BeforeEach
  void save() throws IOException {
    Path gguf = folder.resolve("model.gguf");
    file = folder.resolve("session");
    SyntheticModel.write(
        gguf,
        ModelShape.byName("tiny-llama"),
        QuantizationMix.Q8_0,
        1,
        false,
        Team.shared(),
        ProgressListener.none());
    model = LanguageModel.load(gguf, ModelOptions.defaults().withBackend("scalar").withThreads(1));
    try (Session session = model.newSession(OPTIONS)) {
      session.generate(IDS, GenerationOptions.greedy(0), null);
      session.generate(IDS, GenerationOptions.greedy(1), null);
      session.truncate(IDS.length);
      session.save(file);
    }
    whole = Files.readAllBytes(file);
  }

  @AfterEach
  void close() {
    model.close();
  }

  private void restore() {
    try (Session session = model.restoreSession(file, OPTIONS)) {
      session.generate(session.ids(), GenerationOptions.greedy(2), null);
    }
  }

  @Test
  void isRestored() {
    try (Session session = model.restoreSession(file, OPTIONS)) {
      assertArrayEquals(IDS, session.ids());
    }
    restore();
  }

  @Test
  void everyDamageIsNoticed() throws IOException {
    for (int at = 0; at < whole.length; at += at < HEADER || at > whole.length - 16 ? 1 : 37) {
      for (int bit : new int[] {0, 7}) {
        byte[] damaged = whole.clone();
        damaged[at] ^= (byte) (1 << bit);
        Files.write(file, damaged);
        assertThrows(SmallMindException.class, this::restore, "byte " + at);
      }
    }
  }

  @Test
  void everyCutIsNoticed() throws IOException {
    for (int length = 0; length < whole.length; length += length < HEADER ? 1 : 997) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThrows(BadModelFileException.class, this::restore, "length " + length);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertThrows(BadModelFileException.class, this::restore);
  }

  /** With a checksum that fits, what the header says must be checked, or do no harm. */
  @Test
  void whateverTheHeaderSaysDoesNoHarm() throws IOException {
    int refused = 0;
    int restored = 0;
    for (int at = 0; at < HEADER; at++) {
      for (int value : new int[] {0, 1, 2, 5, 80, 127, 128, 255}) {
        byte[] forged = whole.clone();
        forged[at] = (byte) value;
        seal(forged);
        try {
          restore();
          restored++;
        } catch (SmallMindException expected) {
          refused++;
        }
      }
    }
    assertTrue(restored > 20 && refused > 100, restored + " restored, " + refused + " refused");
  }

  /** More tokens than the file has room for, which must not cost the memory that they would. */
  @Test
  void lengthsAreHeldAgainstTheFile() throws IOException {
    SessionOptions large = OPTIONS.withContextLength(1 << 20);
    int count = HEADER - 4 - 4 * IDS.length - 4;
    for (int tokens : new int[] {-1, Integer.MAX_VALUE, 1 << 20, 200_000}) {
      byte[] forged = Arrays.copyOf(whole, whole.length + 4 * (1 << 18));
      ByteBuffer.wrap(forged).putInt(count, tokens).putInt(count + 4 + 4 * 200_000, 200_000);
      seal(forged);
      assertThrows(BadModelFileException.class, () -> model.restoreSession(file, large).close());
    }
    Files.write(file, whole);
    assertThrows(
        BadArgumentException.class,
        () -> model.restoreSession(file, OPTIONS.withContextLength(2)).close());
    assertEquals(IDS.length, ByteBuffer.wrap(whole).getInt(count));
  }

  private void seal(byte[] bytes) throws IOException {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, 0, bytes.length - 8);
    ByteBuffer.wrap(bytes).putLong(bytes.length - 8, checksum.getValue());
    Files.write(file, bytes);
  }
}
