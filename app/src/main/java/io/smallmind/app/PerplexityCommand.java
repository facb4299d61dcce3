package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.LanguageModel;
import io.smallmind.error.BadArgumentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well a model predicts a text. */
@Command(
    name = "perplexity",
    description = "Measures how well a model predicts a text; lower is better.",
    sortOptions = false,
    footer = {
      "",
      "The text is encoded without a beginning-of-text token and cut into chunks of",
      "context − 1 tokens. Each chunk is read behind that token by a model that remembers",
      "nothing else, and all of its tokens are scored: exp(mean of −ln p)."
    })
final class PerplexityCommand extends AppCommand {
  private static final int USUAL_CONTEXT = 512;
  private static final int MOST_BYTES_PER_CHARACTER = 4;

  @Mixin private ModelOption model = new ModelOption();

  @Option(
      names = {"-f", "--file"},
      required = true,
      paramLabel = "TEXT",
      description = "A text file, UTF-8.")
  private Path file = Path.of("");

  @Option(
      names = "--chars",
      paramLabel = "N",
      description = "Take its first N characters; without it the whole text.")
  private @Nullable Integer characters;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Tokens per chunk; without it 512, or the model's context if shorter.")
  private @Nullable Integer context;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Score the first N chunks; without it all that are full.")
  private @Nullable Integer chunks;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  PerplexityCommand(Main main) {
    super(main);
  }

  @Override
  int execute() throws IOException {
    checkPositive("--chars", characters, 1);
    checkPositive("--context", context, 2);
    checkPositive("--chunks", chunks, 1);
    String text = text();
    try (LanguageModel loaded = model.load(this)) {
      int most = loaded.config().contextLength();
      int length = context == null ? Math.min(USUAL_CONTEXT, most) : context;
      if (length > most) {
        throw new BadArgumentException(
            "--context " + length + ": this model's context is " + most + " tokens");
      }
      int[] ids = loaded.tokenizer().encode(text, false, false);
      int bos = loaded.tokenizer().bosId();
      int taken = bos < 0 ? length : length - 1;
      int count = chunkCount(ids.length / taken, ids.length, taken);
      double sum = 0;
      long begun = System.nanoTime();
      try (Progress progress = new Progress(console())) {
        int[] chunk = new int[length];
        chunk[0] = bos;
        for (int i = 0; i < count; i++) {
          System.arraycopy(ids, i * taken, chunk, length - taken, taken);
          sum += loaded.negativeLogLikelihood(chunk);
          progress.show(
              i + 1,
              count,
              String.format(
                  Locale.ROOT, "perplexity %.4f", perplexity(sum, (i + 1L) * (length - 1))));
        }
      }
      report(loaded, sum, count, length, (System.nanoTime() - begun) / 1e9);
    }
    return Main.DONE;
  }

  private void report(LanguageModel loaded, double sum, int count, int length, double seconds) {
    long tokens = (long) count * (length - 1);
    if (json) {
      JsonObject object = new JsonObject();
      object.add("perplexity", Json.number(perplexity(sum, tokens)));
      object.addProperty("tokens", tokens);
      object.addProperty("chunks", count);
      object.addProperty("context", length);
      object.add("negativeLogLikelihood", Json.number(sum));
      object.addProperty("seconds", seconds);
      object.addProperty("backend", loaded.backend());
      print(object);
    } else {
      console()
          .out()
          .println(
              String.format(
                  Locale.ROOT,
                  "perplexity %.4f over %d tokens in %d chunks of %d",
                  perplexity(sum, tokens),
                  tokens,
                  count,
                  length));
      note(String.format(Locale.ROOT, "[%s, %.1f s]", loaded.backend(), seconds));
    }
  }

  private static double perplexity(double sum, long tokens) {
    return Math.exp(sum / tokens);
  }

  private void checkPositive(String name, @Nullable Integer value, int least) {
    if (value != null && value < least) {
      throw usage(name + " " + value + ": choose " + least + " or more");
    }
  }

  private int chunkCount(int there, int tokens, int taken) {
    int wanted = chunks == null ? Math.max(1, there) : chunks;
    if (wanted > there) {
      throw new BadArgumentException(
          "the text has "
              + tokens
              + " tokens: "
              + there
              + " full chunks of "
              + taken
              + ", not "
              + wanted
              + "; take a longer text, fewer chunks or a shorter context");
    }
    return wanted;
  }

  /** Returns the first characters of the file; a character is a code point. */
  private String text() throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      if (characters == null) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
      long bytes = Math.min(Integer.MAX_VALUE - 8L, (long) characters * MOST_BYTES_PER_CHARACTER);
      String text = new String(in.readNBytes((int) bytes), StandardCharsets.UTF_8);
      return text.codePointCount(0, text.length()) <= characters
          ? text
          : text.substring(0, text.offsetByCodePoints(0, characters));
    }
  }
}
