package io.smallmind.model;

import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How a model is loaded.
 *
 * @param pack lay weights out the way the backend multiplies them fastest, in memory of their own;
 *     without it the file's own pages are multiplied, slower, in no memory but the page cache
 * @param progress hears of each matrix that is ready: its tensor's name and the bytes so far
 * @param adapter what changes the weights, or null for nothing; held until the model is closed, and
 *     closed by whoever opened it
 */
public record LoadOptions(
    boolean pack, ObjLongConsumer<String> progress, @Nullable LoraAdapter adapter) {
  /** Returns the usual options: packed weights. */
  public static LoadOptions defaults() {
    return new LoadOptions(true, (name, bytes) -> {}, null);
  }

  /** Returns these options with weights packed or not. */
  public LoadOptions withPack(boolean packed) {
    return new LoadOptions(packed, progress, adapter);
  }

  /** Returns these options with an adapter. */
  public LoadOptions withAdapter(@Nullable LoraAdapter changes) {
    return new LoadOptions(pack, progress, changes);
  }
}
