package io.smallmind.model;

/**
 * How a model is loaded.
 *
 * @param pack lay weights out the way the backend multiplies them fastest, in memory of their own;
 *     without it the file's own pages are multiplied, slower, in no memory but the page cache
 */
public record LoadOptions(boolean pack) {
  /** Returns the usual options: packed weights. */
  public static LoadOptions defaults() {
    return new LoadOptions(true);
  }
}
