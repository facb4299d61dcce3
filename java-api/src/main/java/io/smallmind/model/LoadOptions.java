package io.smallmind.model;

import io.smallmind.error.BadArgumentException;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How a model is loaded.
 *
 * @param pack lay weights out the way the backend multiplies them fastest, in memory of their own;
 *     without it the file's own pages are multiplied, slower, in no memory but the page cache
 * @param keepPacked keep packed weights in a file beside the model, and map them from it if it is
 *     there: no packing, no memory but the page cache
 * @param progress hears of each matrix that is ready: its tensor's name and the bytes so far
 * @param adapter what changes the weights, or null for nothing; held until the model is closed, and
 *     closed by whoever opened it
 */
public record LoadOptions(
    boolean pack,
    boolean keepPacked,
    ObjLongConsumer<String> progress,
    @Nullable LoraAdapter adapter) {
  /** Checks that the options go together. */
  public LoadOptions {
    if (keepPacked && !pack) {
      throw new BadArgumentException(
          "keepPacked without pack: weights that are not packed can't be kept; choose one");
    }
  }

  /** Returns the usual options: packed weights. */
  public static LoadOptions defaults() {
    return new LoadOptions(true, false, (name, bytes) -> {}, null);
  }

  /**
   * Returns these options with weights packed or not.
   *
   * @throws BadArgumentException if they are not to be packed, but kept packed
   */
  public LoadOptions withPack(boolean packed) {
    return new LoadOptions(packed, keepPacked, progress, adapter);
  }

  /**
   * Returns these options with packed weights kept in a file, or not.
   *
   * @throws BadArgumentException if they are to be kept, but not packed
   */
  public LoadOptions withKeepPacked(boolean kept) {
    return new LoadOptions(pack, kept, progress, adapter);
  }

  /** Returns these options with an adapter. */
  public LoadOptions withAdapter(@Nullable LoraAdapter changes) {
    return new LoadOptions(pack, keepPacked, progress, changes);
  }
}
