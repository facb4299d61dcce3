package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.model.ProgressListener;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a model is loaded and run.
 *
 * @param backend name of the backend, or null for the best one
 * @param threads number of threads, or 0 for as many as there are physical cores
 * @param pack lay weights out for speed in memory of their own; without it the file's own pages are
 *     multiplied, slower, in no memory but the page cache
 * @param keepPacked keep packed weights in a file beside the model, named after the backend and
 *     about as large, and map them from it whenever it is there: the model loads faster, and
 *     processes share its memory
 * @param batchRows most tokens of all sessions per forward pass
 * @param adapter path of a GGUF file with a LoRA adapter that changes the model, or null for none
 * @param adapterStrength factor of the adapter; 1 for as it was trained
 * @param progress hears how much of the weights is ready, on the thread that loads them
 */
public record ModelOptions(
    @Nullable String backend,
    int threads,
    boolean pack,
    boolean keepPacked,
    int batchRows,
    @Nullable Path adapter,
    double adapterStrength,
    ProgressListener progress) {
  /** Checks the ranges. */
  public ModelOptions {
    if (threads < 0) {
      throw new BadArgumentException("threads = " + threads + ": choose 0 or more");
    }
    if (batchRows < 1 || batchRows > 1 << 16) {
      throw new BadArgumentException("batchRows = " + batchRows + ": choose 1 to 65536");
    }
    if (keepPacked && !pack) {
      throw new BadArgumentException(
          "keepPacked without pack: weights that are not packed can't be kept; choose one");
    }
  }

  /** Returns the usual options. */
  public static ModelOptions defaults() {
    return new ModelOptions(null, 0, true, false, 512, null, 1, ProgressListener.none());
  }

  /** Returns these options with a backend forced. */
  public ModelOptions withBackend(@Nullable String name) {
    return new ModelOptions(
        name, threads, pack, keepPacked, batchRows, adapter, adapterStrength, progress);
  }

  /** Returns these options with another number of threads. */
  public ModelOptions withThreads(int count) {
    return new ModelOptions(
        backend, count, pack, keepPacked, batchRows, adapter, adapterStrength, progress);
  }

  /**
   * Returns these options with weights packed or not.
   *
   * @throws BadArgumentException if they are not to be packed, but kept packed
   */
  public ModelOptions withPack(boolean packed) {
    return new ModelOptions(
        backend, threads, packed, keepPacked, batchRows, adapter, adapterStrength, progress);
  }

  /**
   * Returns these options with packed weights kept in a file beside the model, or not.
   *
   * @throws BadArgumentException if they are to be kept, but not packed
   */
  public ModelOptions withKeepPacked(boolean kept) {
    return new ModelOptions(
        backend, threads, pack, kept, batchRows, adapter, adapterStrength, progress);
  }

  /** Returns these options with another size of batches. */
  public ModelOptions withBatchRows(int rows) {
    return new ModelOptions(
        backend, threads, pack, keepPacked, rows, adapter, adapterStrength, progress);
  }

  /**
   * Returns these options with a LoRA adapter.
   *
   * @param path of a GGUF adapter file
   * @param strength factor of what it changes; 1 for as it was trained
   */
  public ModelOptions withAdapter(@Nullable Path path, double strength) {
    return new ModelOptions(
        backend, threads, pack, keepPacked, batchRows, path, strength, progress);
  }

  /** Returns these options with somebody who hears how far loading is. */
  public ModelOptions withProgress(ProgressListener listener) {
    return new ModelOptions(
        backend, threads, pack, keepPacked, batchRows, adapter, adapterStrength, listener);
  }
}
