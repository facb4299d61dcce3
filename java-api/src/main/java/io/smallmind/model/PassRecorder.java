package io.smallmind.model;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;

/**
 * Tells Java Flight Recorder of forward passes, where this Java has one: does nothing otherwise,
 * and next to nothing while there is no recording. Belongs to one batch; not thread-safe.
 */
abstract class PassRecorder {
  private static final boolean AVAILABLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

  private static final PassRecorder NONE =
      new PassRecorder() {
        @Override
        void begin() {}

        @Override
        void end(Batch batch, Kernels kernels, Team team, boolean finished) {}
      };

  static PassRecorder create() {
    return AVAILABLE ? new FlightRecorder() : NONE;
  }

  abstract void begin();

  abstract void end(Batch batch, Kernels kernels, Team team, boolean finished);

  /** One event serves all passes, so that nothing is allocated for them. */
  private static final class FlightRecorder extends PassRecorder {
    private final ForwardPassEvent event = new ForwardPassEvent();
    private boolean begun;

    @Override
    void begin() {
      begun = event.isEnabled();
      if (begun) {
        event.begin();
      }
    }

    @Override
    void end(Batch batch, Kernels kernels, Team team, boolean finished) {
      if (!begun) {
        return;
      }
      event.end();
      if (event.shouldCommit()) {
        event.rows = batch.rows();
        event.outputs = batch.outputs();
        event.sessions = batch.runCount();
        event.context = batch.longestContext();
        event.backend = kernels.name();
        event.threads = team.size();
        event.cancelled = !finished;
        event.commit();
      }
    }
  }
}
