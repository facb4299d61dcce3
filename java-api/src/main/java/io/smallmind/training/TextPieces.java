package io.smallmind.training;

import io.smallmind.error.BadArgumentException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Reads text files of any size in pieces that end at line ends. */
public final class TextPieces {
  private static final int PIECE = 1 << 20;

  private TextPieces() {}

  /**
   * Hands over the bytes of all files, piece by piece.
   *
   * @throws BadArgumentException if a file can't be read, or is empty
   */
  public static void forEach(List<Path> files, Consumer<byte[]> consumer) {
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        if (channel.size() == 0) {
          throw new BadArgumentException(file + ": is empty; there is nothing to train on");
        }
        read(channel, consumer);
      } catch (IOException e) {
        throw new BadArgumentException(
            file + ": can't be read (" + e + "); name a file of UTF-8 text", e);
      }
    }
  }

  private static void read(FileChannel channel, Consumer<byte[]> consumer) throws IOException {
    byte[] bytes = new byte[PIECE];
    int kept = 0;
    for (; ; ) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, kept, bytes.length - kept);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {}
      int length = buffer.position();
      if (length == 0) {
        return;
      }
      boolean ends = length < bytes.length;
      int cut = ends ? length : cut(bytes, length);
      consumer.accept(Arrays.copyOf(bytes, cut));
      System.arraycopy(bytes, cut, bytes, 0, length - cut);
      kept = length - cut;
      if (ends) {
        return;
      }
    }
  }

  /** Returns where to cut: behind the last line end, or before the last character. */
  private static int cut(byte[] bytes, int length) {
    for (int at = length; at > length / 2; at--) {
      if (bytes[at - 1] == '\n') {
        return at;
      }
    }
    int at = length - 1;
    while (at > length - 4 && (bytes[at] & 0xC0) == 0x80) { // inside a character of UTF-8
      at--;
    }
    return at;
  }
}
