package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.gguf.GgufFile;
import io.smallmind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Turns text into token ids. */
@Command(
    name = "tokenize",
    description = "Turns the text on standard input, byte for byte, into token ids.",
    sortOptions = false)
final class TokenizeCommand extends AppCommand {
  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "FILE",
      description = "A GGUF file with a vocabulary; it needs no weights.")
  private Path path = Path.of("");

  @Option(names = "--text", paramLabel = "TEXT", description = "This text, not standard input.")
  private @Nullable String text;

  @Option(
      names = "--no-bos",
      description = "Leave out the tokens that the model wants at a text's beginning and end.")
  private boolean noBos;

  @Option(names = "--special", description = "Take the text of special tokens for these tokens.")
  private boolean special;

  @Option(names = "--json", description = "Print {\"ids\":[…]}.")
  private boolean json;

  TokenizeCommand(Main main) {
    super(main);
  }

  @Override
  int execute() throws IOException {
    Tokenizer tokenizer;
    try (GgufFile file = GgufFile.open(path)) {
      tokenizer = Tokenizer.of(file.metadata());
    }
    byte[] bytes =
        text == null ? console().in().readAllBytes() : text.getBytes(StandardCharsets.UTF_8);
    int[] ids = tokenizer.encode(bytes, !noBos, special);
    if (json) {
      JsonObject object = new JsonObject();
      object.add("ids", Json.array(ids));
      print(object);
      return Main.DONE;
    }
    for (int id : ids) {
      console().out().println(id + "\t" + printable(tokenizer.entry(id)));
    }
    note(ids.length + " tokens, " + bytes.length + " bytes");
    return Main.DONE;
  }

  private static String printable(String entry) {
    StringBuilder text = new StringBuilder();
    entry
        .codePoints()
        .forEach(
            point -> {
              if (Character.isISOControl(point)) {
                text.append(String.format("\\u%04x", point));
              } else {
                text.appendCodePoint(point);
              }
            });
    return text.toString();
  }
}
