package io.smallmind;

/**
 * Tells Java Flight Recorder of a generation, where this Java has one and records. Not thread-safe.
 */
abstract class GenerationRecorder {
  private static final boolean AVAILABLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

  private static final GenerationRecorder NONE =
      new GenerationRecorder() {
        @Override
        void end(Generation generation, long prefillNanos) {}
      };

  /** Notes that a generation begins. */
  static GenerationRecorder begin() {
    return AVAILABLE ? FlightRecorder.begun() : NONE;
  }

  /** Notes that it ended; only the first time counts. */
  abstract void end(Generation generation, long prefillNanos);

  private static final class FlightRecorder extends GenerationRecorder {
    private final GenerationEvent event;

    private FlightRecorder(GenerationEvent event) {
      this.event = event;
    }

    static GenerationRecorder begun() {
      GenerationEvent event = new GenerationEvent();
      if (!event.isEnabled()) {
        return NONE;
      }
      event.begin();
      return new FlightRecorder(event);
    }

    @Override
    void end(Generation generation, long prefillNanos) {
      event.end();
      if (event.shouldCommit()) {
        generation.describe(event);
        event.prefill = prefillNanos;
        event.commit();
      }
    }
  }
}
