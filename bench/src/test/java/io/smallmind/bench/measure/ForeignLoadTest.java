package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ForeignLoadTest {
  private static final long PATIENCE_NANOS = 20_000_000_000L;

  private static Duration cpuTime(Process process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Works between begin and end, and at no other time. */
  @Test
  void processesAreBusyWhileToldTo() throws InterruptedException {
    try (ForeignLoad load = new ForeignLoad(1)) {
      load.begin();
      Process process = load.processes().getFirst();
      Duration wanted = cpuTime(process).plusMillis(60);
      long begin = System.nanoTime();
      while (cpuTime(process).compareTo(wanted) < 0) {
        assertTrue(System.nanoTime() - begin < PATIENCE_NANOS, "it does nothing");
        Thread.sleep(5);
      }
      load.end();
      Duration before = cpuTime(process);
      Thread.sleep(100);
      assertTrue(cpuTime(process).minus(before).toMillis() <= 30, "it goes on");
      load.begin();
      assertEquals(1, load.processes().size());
      load.end();
    }
  }

  @Test
  void beginningTwiceIsAsBeginningOnce() {
    try (ForeignLoad load = new ForeignLoad(1)) {
      load.begin();
      assertTimeoutPreemptively(Duration.ofSeconds(20), load::begin);
      load.end();
    }
  }

  /** The input of a process ends with whoever started it, however that ended. */
  @Test
  void processEndsWithItsInput() throws IOException, InterruptedException {
    try (ForeignLoad load = new ForeignLoad(1)) {
      load.begin();
      Process process = load.processes().getFirst();
      process.getOutputStream().close();
      assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it outlives its input");
      assertThrows(IllegalStateException.class, load::end);
      assertFalse(process.isAlive());
      load.begin(); // Another one takes its place.
      load.end();
    }
  }
}
