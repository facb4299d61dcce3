package io.smallmind.app;

import io.smallmind.Session;

/** Shows on a terminal how much of a prompt was read, until closed; short prompts show nothing. */
final class PromptProgress implements AutoCloseable {
  private static final long DELAY_MILLIS = 500;
  private static final long PERIOD_MILLIS = 200;

  private final Thread thread;

  /**
   * Begins to show it.
   *
   * @param session whose prompt is being read
   */
  PromptProgress(Console console, Session session) {
    thread = Thread.ofPlatform().daemon().name("progress").unstarted(() -> run(console, session));
    if (console.progress()) {
      thread.start();
    }
  }

  private static void run(Console console, Session session) {
    try (Progress progress = new Progress(console)) {
      Thread.sleep(DELAY_MILLIS);
      for (; ; ) {
        progress.show(Math.round(1000 * session.promptProgress()), 1000, "reading the prompt");
        Thread.sleep(PERIOD_MILLIS);
      }
    } catch (InterruptedException e) {
      // The prompt was read.
    }
  }

  /** Erases the line; nothing is drawn after that. */
  @Override
  public void close() {
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
