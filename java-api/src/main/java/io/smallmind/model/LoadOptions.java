package io.smallmind.model;

import java.util.function.ObjLongConsumer;

/**
 * How a model is loaded.
 *
 * @param pack lay weights out the way the backend multiplies them fastest, in memory of their own;
 *     without it the file's own pages are multiplied, slower, in no memory but the page cache
 * @param progress hears of each matrix that is ready: its tensor's name and the bytes so far
 */
public record LoadOptions(boolean pack, ObjLongConsumer<String> progress) {
  /** Returns the usual options: packed weights. */
  public static LoadOptions defaults() {
    return new LoadOptions(true, (name, bytes) -> {});
  }

  /** Returns these options with weights packed or not. */
  public LoadOptions withPack(boolean packed) {
    return new LoadOptions(packed, progress);
  }
}
