package io.smallmind.bench.models;

import io.smallmind.model.KvCache;
import io.smallmind.model.Model;
import io.smallmind.tensor.TensorType;

/** Sessions' memories that already hold some context. */
final class Contexts {
  /**
   * In F16 and Q8_0 alike this makes small, normal numbers: attention over them costs what it
   * always costs, and reading thousands of tokens is not waited for.
   */
  private static final byte CONTENT = 0x11;

  private Contexts() {}

  /**
   * Returns a memory with room for more.
   *
   * @param depth tokens that it holds
   */
  static KvCache filled(Model model, TensorType type, int depth, int capacity) {
    KvCache cache = model.newCache(type, capacity);
    cache.reserve(capacity);
    for (int page = 0; page < cache.pagesFor(capacity); page++) {
      cache.page(page).fill(CONTENT);
    }
    cache.restored(depth);
    return cache;
  }
}
