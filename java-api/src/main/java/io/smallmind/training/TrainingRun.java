package io.smallmind.training;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Takes all steps of a training, evaluates now and then, and saves what was reached. */
public final class TrainingRun {
  /** How a run ended. */
  public enum End {
    /** All steps are done. */
    DONE,
    /** Evaluations got no better for so long as the options allow. */
    STOPPED_EARLY,
    /** Somebody asked to stop. */
    CANCELLED
  }

  /** Hears how a run goes, on the thread that runs it. */
  public interface Listener {
    /** Called after each step. */
    void step(double loss);

    /** Called after each evaluation. */
    void evaluated(double loss);

    /** Called after each checkpoint. */
    void saved(Path checkpoint);
  }

  private TrainingRun() {}

  /**
   * Trains to the end. A checkpoint is written every so many steps, and when the run ends; a
   * training that diverges leaves the last one as it is.
   *
   * @param checkpoint file to save to
   * @param best file to save to after each evaluation that is better than all before; may be null
   *     if none is wanted
   * @param saveEvery steps between checkpoints
   * @param cancelled asked before each step
   * @throws io.smallmind.error.TrainingDivergedException if the loss is no number any more
   * @throws io.smallmind.error.FileWriteException if a checkpoint can't be written
   */
  public static End run(
      Trainer trainer,
      Path checkpoint,
      @Nullable Path best,
      long saveEvery,
      BooleanSupplier cancelled,
      Listener listener) {
    TrainingOptions options = trainer.options();
    End end = End.DONE;
    while (trainer.done() < options.steps() && end == End.DONE) {
      if (cancelled.getAsBoolean()) {
        end = End.CANCELLED;
        break;
      }
      listener.step(trainer.step());
      boolean last = trainer.done() == options.steps();
      if (trainer.validates() && (last || trainer.done() % options.evaluateEvery() == 0)) {
        listener.evaluated(trainer.evaluate());
        int since = trainer.history().evaluationsSinceBest();
        if (best != null && since == 0) {
          Checkpoint.save(trainer, best);
        }
        if (options.patience() > 0 && since >= options.patience()) {
          end = End.STOPPED_EARLY;
        }
      }
      if (!last && end == End.DONE && trainer.done() % saveEvery == 0) {
        Checkpoint.save(trainer, checkpoint);
        listener.saved(checkpoint);
      }
    }
    Checkpoint.save(trainer, checkpoint);
    listener.saved(checkpoint);
    return end;
  }
}
