package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.smallmind.error.FileWriteException;
import io.smallmind.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The tokens of some text, in memory or a mapped file that takes no heap and is gone when closed: a
 * batch costs a few reads of memory, whatever the length of the text. Thread-safe.
 */
public final class TokenData implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment tokens;
  private final long checksum;

  private TokenData(Arena arena, MemorySegment tokens, long checksum) {
    this.arena = arena;
    this.tokens = tokens;
    this.checksum = checksum;
  }

  /**
   * Turns text files into tokens; {@code <|endoftext|>} and its like in them mean these tokens.
   *
   * @throws io.smallmind.error.BadArgumentException if a file can't be read, or is empty
   * @throws FileWriteException if there is no room for the tokens in the folder of temporary files
   */
  public static TokenData encode(List<Path> files, Tokenizer tokenizer) {
    Arena arena = Arena.ofShared();
    boolean done = false;
    try {
      Path file = Files.createTempFile("smallmind-tokens", ".bin");
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        CRC32C checksum = new CRC32C();
        TextPieces.forEach(
            files, piece -> append(channel, tokenizer.encode(piece, false, true), checksum));
        MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        done = true;
        return new TokenData(arena, mapped, checksum.getValue());
      }
    } catch (IOException e) {
      throw failure(e);
    } finally {
      if (!done) {
        arena.close();
      }
    }
  }

  /** Holds tokens that are known already; they are copied into memory off the heap. */
  public static TokenData of(int... tokens) {
    Arena arena = Arena.ofShared();
    MemorySegment copy = arena.allocate(4L * tokens.length, 4);
    MemorySegment.copy(tokens, 0, copy, JAVA_INT_UNALIGNED, 0, tokens.length);
    CRC32C checksum = new CRC32C();
    checksum.update(copy.asByteBuffer());
    return new TokenData(arena, copy, checksum.getValue());
  }

  private static FileWriteException failure(IOException e) {
    return new FileWriteException(
        "the tokens can't be written (" + e + "); -Djava.io.tmpdir names a folder with room", e);
  }

  private static void append(FileChannel channel, int[] ids, CRC32C checksum) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * ids.length).order(ByteOrder.nativeOrder());
    buffer.asIntBuffer().put(ids);
    checksum.update(buffer.array());
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Returns the number of tokens. */
  public long length() {
    return tokens.byteSize() / 4;
  }

  /** Returns a token. */
  int token(long index) {
    return tokens.get(JAVA_INT_UNALIGNED, 4 * index);
  }

  /** Returns a number that tells these tokens from others. */
  long checksum() {
    return checksum;
  }

  /** Frees the tokens; closing twice does nothing. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
