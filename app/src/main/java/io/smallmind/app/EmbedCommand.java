package io.smallmind.app;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.smallmind.LanguageModel;
import io.smallmind.Pooling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Turns texts into vectors. */
@Command(
    name = "embed",
    description =
        "Turns texts into vectors of length 1; without --text, each line of standard input is one.",
    sortOptions = false)
final class EmbedCommand extends AppCommand {
  @Mixin private ModelOption model = new ModelOption();

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A text; may be given several times.")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--pooling",
      paramLabel = "KIND",
      defaultValue = "mean",
      description = "Which tokens count: mean (all), last or cls (first). Default: mean.")
  private Pooling pooling = Pooling.MEAN;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  EmbedCommand(Main main) {
    super(main);
  }

  @Override
  int execute() throws IOException {
    try (LanguageModel loaded = model.load(this)) {
      List<String> all = texts;
      if (all.isEmpty()) {
        all = new String(console().in().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      }
      if (all.isEmpty()) {
        throw usage("there is no text to embed; give --text, or lines on standard input");
      }
      JsonArray vectors = new JsonArray();
      try (Progress progress = new Progress(console())) {
        for (int i = 0; i < all.size(); i++) {
          float[] vector = loaded.embed(all.get(i), pooling);
          if (json) {
            vectors.add(Json.array(vector));
          } else {
            printLine(vector);
          }
          progress.show(i + 1L, all.size(), "texts");
        }
      }
      if (json) {
        JsonObject object = new JsonObject();
        object.add("embeddings", vectors);
        object.addProperty("pooling", pooling.name().toLowerCase(Locale.ROOT));
        object.addProperty("dimensions", loaded.config().embeddingLength());
        object.addProperty("backend", loaded.backend());
        print(object);
      }
    }
    return Main.DONE;
  }

  private void printLine(float[] vector) {
    StringBuilder line = new StringBuilder();
    for (float value : vector) {
      line.append(line.isEmpty() ? "" : " ").append(value);
    }
    console().out().println(line);
  }
}
