package io.smallmind.bench.measure;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/**
 * The program of a {@link ForeignLoad}: a byte on its standard input lets it compute or rest, and
 * comes back when it does. It ends when that input does, which it also does if who started this was
 * killed. It works in registers: what it takes from others is time, not memory.
 */
final class BusyProcess {
  static final int WORK = 'w';
  static final int REST = 'r';

  private static final int STEPS = 10_000;

  private static volatile boolean working;

  private BusyProcess() {}

  /** Runs until the standard input ends. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Thread worker = null;
    for (int order = System.in.read(); order >= 0; order = System.in.read()) {
      working = false; // Also if it is to go on: who comes after begins anew, and says so.
      if (worker != null) {
        worker.join();
        worker = null;
      }
      if (order == WORK) {
        working = true;
        CountDownLatch begun = new CountDownLatch(1);
        worker = Thread.ofPlatform().daemon().start(() -> work(begun));
        begun.await();
      }
      System.out.write(order);
      System.out.flush();
    }
  }

  private static void work(CountDownLatch begun) {
    long value = 1;
    while (working && value != 0) { // Never 0; but who asks has to compute it.
      for (int i = 0; i < STEPS; i++) {
        value = value * 6364136223846793005L + 1442695040888963407L;
      }
      begun.countDown();
    }
    begun.countDown();
  }
}
