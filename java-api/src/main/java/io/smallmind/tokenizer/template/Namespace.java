package io.smallmind.tokenizer.template;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Variables that can be set from within a loop.
 *
 * @param values by name
 */
record Namespace(Map<String, Object> values) {
  Namespace() {
    this(new LinkedHashMap<>());
  }
}
