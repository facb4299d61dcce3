package io.smallmind.tokenizer;

import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufMetadata;

/** In work. */
final class TokenizerLoader {
  private TokenizerLoader() {}

  static Tokenizer load(GgufMetadata metadata) {
    throw new UnsupportedFormatException("tokenizer.ggml.model");
  }
}
