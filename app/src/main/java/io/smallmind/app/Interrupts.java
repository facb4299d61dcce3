package io.smallmind.app;

import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/** Handles Ctrl-C until closed: the first one ends the work, a second one ends the process. */
final class Interrupts implements AutoCloseable {
  private static final String INTERRUPT = "INT";

  private final @Nullable Object before;

  private Interrupts(@Nullable Object before) {
    this.before = before;
  }

  /** Calls an action, on another thread, at the first Ctrl-C. */
  static Interrupts handle(Runnable action) {
    return new Interrupts(
        Signals.register(
            INTERRUPT,
            () -> {
              Signals.registerDefault(INTERRUPT);
              action.run();
            }));
  }

  @Override
  public void close() {
    if (before != null) {
      Signals.unregister(INTERRUPT, before);
    }
  }
}
