package io.smallmind.app;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.smallmind.FinishReason;
import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.SessionOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a text. */
@Command(
    name = "generate",
    description = "Continues a text, printing it as it comes.",
    sortOptions = false)
final class GenerateCommand extends AppCommand {
  @Mixin private ModelOption model = new ModelOption();

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "The text to continue.")
  private @Nullable String prompt;

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      description = "A file with the text to continue; - for standard input.")
  private @Nullable String promptFile;

  @Option(
      names = "--special",
      description = "Take the text of special tokens in the prompt for these tokens.")
  private boolean special;

  @Mixin private SamplingOption sampling = new SamplingOption();

  @Option(
      names = "--log-probabilities",
      paramLabel = "N",
      description = "With --json: report each token's log-probability, and N alternatives.")
  private @Nullable Integer logProbabilities;

  @Option(names = "--json", description = "Print one JSON object at the end.")
  private boolean json;

  GenerateCommand(Main main) {
    super(main);
  }

  @Override
  @SuppressWarnings("try") // Closed, but not called.
  int execute() throws IOException {
    if (logProbabilities != null && !json) {
      throw usage("--log-probabilities needs --json");
    }
    GenerationOptions options =
        sampling
            .builder()
            .parseSpecial(special)
            .logProbabilities(logProbabilities == null ? -1 : logProbabilities)
            .build();
    SessionOptions sessionOptions = sampling.session(SessionOptions.Overflow.STOP);
    String text = prompt();
    long begun = System.nanoTime();
    try (LanguageModel loaded = model.load(this);
        Session session = loaded.newSession(sessionOptions)) {
      long loadNanos = System.nanoTime() - begun;
      try (Interrupts ignored = Interrupts.handle(session::cancel);
          PromptProgress progress = new PromptProgress(console(), session)) {
        GenerationResult result =
            session.generate(
                text,
                options,
                token -> {
                  progress.close();
                  if (!json) {
                    console().out().print(token.text());
                    console().out().flush();
                  }
                });
        progress.close();
        if (json) {
          print(toJson(result, loaded, loadNanos));
        } else {
          console().out().println();
          console().out().flush();
          note(Speed.describe(result, loaded, loadNanos));
        }
        return result.finishReason() == FinishReason.CANCELLED ? Main.INTERRUPTED : Main.DONE;
      }
    }
  }

  private String prompt() throws IOException {
    if (prompt != null && promptFile != null) {
      throw usage("give --prompt or --prompt-file, not both");
    }
    if (promptFile == null) {
      return prompt == null ? "" : prompt;
    }
    byte[] bytes =
        promptFile.equals("-")
            ? console().in().readAllBytes()
            : Files.readAllBytes(Path.of(promptFile));
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static JsonObject toJson(GenerationResult result, LanguageModel model, long loadNanos) {
    JsonObject json = new JsonObject();
    json.addProperty("text", result.text());
    json.add("promptIds", Json.array(result.promptIds()));
    json.add("ids", Json.array(result.ids()));
    json.addProperty("finishReason", result.finishReason().name().toLowerCase(Locale.ROOT));
    GenerationResult.Usage counts = result.usage();
    JsonObject usage = new JsonObject();
    usage.addProperty("promptTokens", counts.promptTokens());
    usage.addProperty("reusedTokens", counts.reusedTokens());
    usage.addProperty("generatedTokens", counts.generatedTokens());
    usage.addProperty("totalTokens", counts.promptTokens() + counts.generatedTokens());
    usage.addProperty("draftedTokens", counts.draftedTokens());
    usage.addProperty("acceptedTokens", counts.acceptedTokens());
    json.add("usage", usage);
    JsonObject timings = new JsonObject();
    timings.addProperty("loadMillis", loadNanos / 1e6);
    timings.addProperty("promptMillis", result.timings().promptNanos() / 1e6);
    timings.addProperty("generationMillis", result.timings().generationNanos() / 1e6);
    timings.add("promptTokensPerSecond", Json.number(Speed.prompt(result)));
    timings.add("generatedTokensPerSecond", Json.number(Speed.generation(result)));
    json.add("timings", timings);
    json.addProperty("backend", model.backend());
    json.addProperty("threads", model.threads());
    json.addProperty("model", model.path().toString());
    if (!result.logProbabilities().isEmpty()) {
      json.add("logProbabilities", logProbabilities(result, model));
    }
    return json;
  }

  private static JsonArray logProbabilities(GenerationResult result, LanguageModel model) {
    JsonArray all = new JsonArray();
    for (GenerationResult.LogProbabilities one : result.logProbabilities()) {
      JsonObject json = logProbability(one.id(), one.logProbability(), model);
      JsonArray best = new JsonArray();
      one.best().forEach(each -> best.add(logProbability(each.id(), each.logProbability(), model)));
      json.add("best", best);
      all.add(json);
    }
    return all;
  }

  private static JsonObject logProbability(int id, float logProbability, LanguageModel model) {
    JsonObject json = new JsonObject();
    json.addProperty("id", id);
    json.addProperty("token", model.tokenizer().entry(id));
    json.add("logProbability", Json.number(logProbability));
    return json;
  }
}
