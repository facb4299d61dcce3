package io.smallmind.tokenizer;

import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.gguf.GgufMetadata;

/** Chooses the kind of tokenizer that a model file asks for. */
final class TokenizerLoader {
  private TokenizerLoader() {}

  static Tokenizer load(GgufMetadata metadata) {
    String kind = metadata.string("tokenizer.ggml.model");
    return switch (kind) {
      case "llama" -> new SentencePieceTokenizer(new Vocabulary(metadata));
      case "gpt2" -> new BytePairTokenizer(new Vocabulary(metadata));
      case "bert" -> new WordPieceTokenizer(new Vocabulary(metadata));
      default ->
          throw new UnsupportedFormatException(
              "tokenizer.ggml.model = '"
                  + kind
                  + "' is not supported; supported are llama (SentencePiece), gpt2 (byte-level"
                  + " BPE) and bert (WordPiece)");
    };
  }
}
