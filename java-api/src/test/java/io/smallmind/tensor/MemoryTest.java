package io.smallmind.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.OutOfMemoryException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 63, 64, 65, 1 << 20, Memory.LARGE + 1})
  void isZeroedAndAligned(long bytes) {
    try (Memory memory = Memory.allocate(bytes)) {
      MemorySegment segment = memory.segment();
      assertEquals(bytes, segment.byteSize());
      assertEquals(0, segment.address() % Memory.ALIGNMENT);
      for (long i = 0; i < bytes; i++) {
        assertEquals(0, segment.get(ValueLayout.JAVA_BYTE, i));
      }
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void largeMemoryBeginsAtAHugePage() {
    assertEquals(Memory.systemHasHugePages(), Memory.hasHugePages());
    for (long bytes : new long[] {Memory.LARGE, 2 * Memory.LARGE + 1}) {
      try (Memory memory = Memory.allocate(bytes)) {
        assertEquals(0, memory.segment().address() % Memory.LARGE);
        memory.segment().fill((byte) 1);
      }
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void linuxFreesWhatItMapped() throws IOException {
    LinuxMemory linux = LinuxMemory.find();
    assertNotNull(linux, "this JVM allows native access");
    long bytes = 32 * Memory.LARGE;
    MemorySegment freed;
    try (Arena arena = Arena.ofConfined()) {
      freed = linux.allocate(bytes, arena);
      assertNotNull(freed);
      assertEquals(bytes, freed.byteSize());
      freed.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 1);
      assertTrue(isMapped(freed));
    }
    assertFalse(freed.scope().isAlive());
    assertFalse(isMapped(freed));
    assertNull(linux.allocate(1L << 55, Arena.ofAuto()), "more than an address space");
    assertNull(linux.allocate(Long.MAX_VALUE, Arena.ofAuto()));
  }

  /** Tells whether one mapping of this process holds all of it. */
  private static boolean isMapped(MemorySegment memory) throws IOException {
    long begin = memory.address();
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] range = line.substring(0, line.indexOf(' ')).split("-");
      if (Long.parseUnsignedLong(range[0], 16) <= begin
          && Long.parseUnsignedLong(range[1], 16) >= begin + memory.byteSize()) {
        return true;
      }
    }
    return false;
  }

  @Test
  void droppedPagesComeBack(@TempDir Path folder) throws IOException {
    byte[] content = new byte[300_000];
    Arrays.fill(content, (byte) 7);
    Path file = Files.write(folder.resolve("pages"), content);
    try (FileChannel channel = FileChannel.open(file);
        Arena arena = Arena.ofConfined()) {
      MemorySegment mapping = channel.map(MapMode.READ_ONLY, 0, content.length, arena);
      assertArrayEquals(content, mapping.toArray(ValueLayout.JAVA_BYTE));
      Memory.dropPages(mapping);
      assertArrayEquals(content, mapping.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void negativeSizesAreRefused() {
    assertThrows(BadArgumentException.class, () -> Memory.allocate(-1));
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 55, Long.MAX_VALUE - 63, Long.MAX_VALUE})
  void whatTheSystemRefusesIsATypedError(long bytes) {
    OutOfMemoryException e = assertThrows(OutOfMemoryException.class, () -> Memory.allocate(bytes));
    assertTrue(e.getMessage().contains("" + bytes), e.getMessage());
  }

  @Test
  void useAfterCloseIsRefused() {
    Memory memory = Memory.allocate(8);
    assertFalse(memory.isClosed());
    memory.close();
    memory.close();
    assertTrue(memory.isClosed());
    assertFalse(memory.segment().scope().isAlive());
    assertThrows(ClosedException.class, memory::acquire);
    assertThrows(IllegalStateException.class, () -> memory.segment().get(ValueLayout.JAVA_BYTE, 0));
    assertThrows(
        IllegalStateException.class,
        () -> TensorType.F32.codec().decode(memory.segment(), 0, new float[2], 0, 2));
  }

  @Test
  void closeWaitsForTheLastHolder() {
    Memory memory = Memory.allocate(8);
    memory.acquire();
    memory.acquire();
    memory.close();
    assertTrue(memory.isClosed());
    assertThrows(ClosedException.class, memory::acquire);
    memory.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    memory.release();
    assertEquals(1, memory.segment().get(ValueLayout.JAVA_BYTE, 0));
    memory.close();
    assertTrue(memory.segment().scope().isAlive());
    memory.release();
    assertFalse(memory.segment().scope().isAlive());
  }

  @Test
  void releasedMemoryStaysUntilClosed() {
    try (Memory memory = Memory.allocate(8)) {
      memory.acquire();
      memory.release();
      memory.acquire();
      memory.release();
      assertTrue(memory.segment().scope().isAlive());
    }
  }

  @Test
  void isFreedOnceAndOnlyWhenNobodyHoldsIt() throws InterruptedException {
    for (int round = 0; round < 200; round++) {
      AtomicInteger freed = new AtomicInteger();
      AtomicInteger holders = new AtomicInteger();
      AtomicInteger freedWhileHeld = new AtomicInteger();
      Lifetime lifetime =
          new Lifetime(
              "it",
              () -> {
                freed.incrementAndGet();
                freedWhileHeld.addAndGet(holders.get());
              });
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        boolean closes = t == 3;
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        start.await();
                        if (closes) {
                          lifetime.close();
                        }
                        for (int i = 0; i < 100; i++) {
                          lifetime.acquire();
                          holders.incrementAndGet();
                          holders.decrementAndGet();
                          lifetime.release();
                        }
                      } catch (ClosedException | InterruptedException e) {
                        assertTrue(lifetime.isClosed());
                      }
                    }));
      }
      start.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(1, freed.get());
      assertEquals(0, freedWhileHeld.get());
    }
  }

  static Stream<Supplier<MemoryPool>> pools() {
    return Stream.of(MemoryPool::large, MemoryPool::small);
  }

  @ParameterizedTest
  @MethodSource("pools")
  void aPoolGivesMemoryInOrder(Supplier<MemoryPool> made) {
    try (MemoryPool pool = made.get()) {
      MemorySegment last = pool.allocate(1);
      for (long bytes : new long[] {0, 63, 64, 65, 1000, Memory.LARGE / 3, 3 * Memory.LARGE}) {
        MemorySegment next = pool.allocate(bytes);
        assertEquals(bytes, next.byteSize());
        assertEquals(0, next.address() % Memory.ALIGNMENT);
        assertEquals(-1, next.mismatch(MemorySegment.ofArray(new byte[(int) bytes])));
        next.fill((byte) 7);
        assertEquals(0, last.get(ValueLayout.JAVA_BYTE, 0), "does not overlap");
        if (bytes > 0) {
          last = pool.allocate(1);
        }
      }
    }
  }

  @Test
  void aClosedPoolFreesItsMemory() {
    MemoryPool pool = MemoryPool.large();
    MemorySegment segment = pool.allocate(100);
    assertThrows(BadArgumentException.class, () -> pool.allocate(-1));
    assertThrows(BadArgumentException.class, () -> pool.allocate(Long.MIN_VALUE));
    pool.close();
    assertFalse(segment.scope().isAlive());
  }
}
