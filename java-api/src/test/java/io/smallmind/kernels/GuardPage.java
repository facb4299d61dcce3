package io.smallmind.kernels;

import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * A matrix of weights whose last row ends at a page that can't be touched: whoever reads further
 * gets an error, and native code a crash. It lies behind the end of a file that was cut after it
 * was mapped; elsewhere than on Linux, where files can't be cut so, the matrix just ends.
 */
final class GuardPage implements AutoCloseable {
  private static final long PAGE = 4096;
  private static final boolean LINUX =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");

  private final Arena arena = Arena.ofShared();
  private final Matrix matrix;

  /** Makes a matrix of undefined bytes; stride is the distance of rows in bytes. */
  GuardPage(TensorType type, long rows, long columns, long stride) {
    long bytes = (rows - 1) * stride + type.rowBytes(columns);
    long pages = (bytes + PAGE - 1) / PAGE * PAGE;
    MemorySegment memory = LINUX ? mapAndCut(pages) : arena.allocate(pages, PAGE);
    matrix = Matrix.of(memory.asSlice(pages - bytes, bytes), type, rows, columns, stride);
  }

  private MemorySegment mapAndCut(long pages) {
    try {
      Path file = Files.createTempFile("smallmind", ".page");
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, pages + PAGE, arena);
        channel.truncate(pages);
        memory.asSlice(0, pages).fill((byte) -1);
        return memory;
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Matrix matrix() {
    return matrix;
  }

  @Override
  public void close() {
    arena.close();
  }
}
