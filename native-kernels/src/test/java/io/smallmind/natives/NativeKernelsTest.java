package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.smallmind.error.BadArgumentException;
import io.smallmind.kernels.Activations;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.PackedWeights;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.MemoryPool;
import io.smallmind.tensor.TensorType;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeKernelsTest {
  private static final int ROWS = 8;
  private static final int OUTPUTS = 32;
  private static final int COLUMNS = 256;
  private static final int CALLS = 20_000;

  private Kernels kernels;

  @BeforeEach
  void best() {
    Natives.require();
    kernels = KernelRegistry.get().available().getFirst();
    assertTrue(kernels.name().startsWith("native-"), KernelRegistry.get().explain());
  }

  @Test
  void largeMemoryIsAlignedAndFreed() {
    assertTrue(NativeLibrary.get().isLoaded());
    MemorySegment segment;
    try (Memory memory = Memory.allocate(Memory.LARGE + 1)) {
      segment = memory.segment();
      assertEquals(0, segment.address() % (64 << 10));
      segment.set(ValueLayout.JAVA_BYTE, Memory.LARGE, (byte) 1);
    }
    assertFalse(segment.scope().isAlive());
  }

  /** Slabs are as large as the first matrices ask for, which may be of any size. */
  @Test
  void aPoolFillsSlabsOfAnySize() {
    try (MemoryPool pool = MemoryPool.small()) {
      for (int i = 0; i < 7; i++) {
        assertEquals(4004, pool.allocate(4004).byteSize());
      }
      for (int bytes = 3800; bytes > 0; bytes -= 20) {
        assertEquals(bytes, pool.allocate(bytes).byteSize());
      }
    }
  }

  @Test
  void droppedPagesOfAFileComeBack(@TempDir Path folder) throws IOException {
    byte[] bytes = new byte[32 << 20];
    new Random(1).nextBytes(bytes);
    Path file = Files.write(folder.resolve("pages"), bytes);
    MemorySegment expected = MemorySegment.ofArray(bytes);
    try (Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      MemorySegment mapping = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, arena);
      assertEquals(-1, mapping.mismatch(expected));
      long before = residentFilePages();
      Memory.dropPages(mapping);
      assertTrue(residentFilePages() <= before - (30 << 20), "pages are still resident");
      assertEquals(-1, mapping.mismatch(expected));
    }
    assertThrows(BadArgumentException.class, () -> Memory.dropPages(expected));
    assertThrows(BadArgumentException.class, () -> Memory.dropPages(MemorySegment.NULL));
  }

  private static long residentFilePages() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      String line = lines.filter(each -> each.startsWith("RssFile:")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", "")) << 10;
    }
  }

  @Test
  void everyBackendThatTheCpuAllowsIsThere() {
    List<String> names =
        KernelRegistry.get().available().stream()
            .map(Kernels::name)
            .filter(name -> name.startsWith("native-"))
            .sorted()
            .toList();
    assertEquals(ExpectedBackends.natives(), names, KernelRegistry.get().explain());
  }

  /** An application server may load the same classes several times. */
  @Test
  void secondClassLoaderGetsACopy() throws ReflectiveOperationException, IOException {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    try (URLClassLoader loader =
        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Class<?> other = Class.forName(KernelRegistry.class.getName(), true, loader);
      assertNotEquals(KernelRegistry.class, other);
      Object registry = other.getMethod("get").invoke(null);
      String text = (String) other.getMethod("explain").invoke(registry);
      assertTrue(text.contains("+ " + kernels.name()), text);
    }
  }

  /** Many calls from several threads: no heap, and no native memory that is not given back. */
  @Test
  void manyCallsKeepNothing() throws InterruptedException, IOException {
    work(CALLS);
    long before = residentBytes();
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread thread = new Thread(() -> work(CALLS));
      thread.setUncaughtExceptionHandler(
          (failed, thrown) -> {
            synchronized (failures) {
              failures.add(thrown);
            }
          });
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), failures);
    long grown = residentBytes() - before;
    // OpenBLAS keeps a buffer for each thread that it has met; a leak would be 80,000 of anything.
    assertTrue(grown < 256L << 20, "grown by " + grown + " bytes");
  }

  /** Multiplies again and again, and checks each result and the heap that was allocated. */
  private void work(int calls) {
    try (Arena arena = Arena.ofConfined();
        Team team = new Team(1)) {
      Matrix x = ones(arena, ROWS);
      Matrix w = ones(arena, OUTPUTS);
      Matrix y = Matrix.of(arena.allocate(4L * ROWS * OUTPUTS, 64), TensorType.F32, ROWS, OUTPUTS);
      try (Activations activations = new Activations(kernels, x);
          PackedWeights weights = PackedWeights.pack(kernels, team, w)) {
        multiply(activations, weights, y, calls / 10);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        long free = threads.getCurrentThreadAllocatedBytes() - before;
        before = threads.getCurrentThreadAllocatedBytes();
        multiply(activations, weights, y, calls);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before - free;
        assertTrue(allocated < calls, allocated + " bytes of heap in " + calls + " calls");
      }
    }
  }

  private void multiply(Activations x, PackedWeights w, Matrix y, int calls) {
    for (int i = 0; i < calls; i++) {
      kernels.quantize(x, 0, ROWS);
      kernels.matmul(x, 0, ROWS, w, 0, OUTPUTS, y);
      assertEquals(COLUMNS, y.segment().get(ValueLayout.JAVA_FLOAT, 4L * (ROWS * OUTPUTS - 1)));
      kernels.matmul(x, 0, 1, w, 0, OUTPUTS, y);
      kernels.scale(0, y.segment(), 0, y.segment(), 0, ROWS * (long) OUTPUTS);
    }
  }

  private static Matrix ones(Arena arena, int rows) {
    MemorySegment values = arena.allocate(4L * rows * COLUMNS, 64);
    for (int i = 0; i < rows * COLUMNS; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
    }
    return Matrix.of(values, TensorType.F32, rows, COLUMNS);
  }

  private static long residentBytes() throws IOException {
    Path statm = Path.of("/proc/self/statm");
    return Files.exists(statm) ? Long.parseLong(Files.readString(statm).split(" ")[1]) * 4096 : 0;
  }
}
