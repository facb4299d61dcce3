package io.smallmind.bench.host;

/** Does something once: when it is closed, or before when the process is stopped. Thread-safe. */
public final class AtExit implements AutoCloseable {
  private final Runnable action;
  private final Thread hook = new Thread(this::once);
  private boolean done;

  /** Takes what is to be done. */
  public AtExit(Runnable action) {
    this.action = action;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private synchronized void once() {
    if (!done) {
      done = true;
      action.run();
    }
  }

  @Override
  public void close() {
    once();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends at this moment, and the hook finds nothing to do.
    }
  }
}
