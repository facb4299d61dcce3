package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.gguf.GgufValue;
import io.smallmind.kernels.Team;
import io.smallmind.tokenizer.Tokenizer;
import io.smallmind.training.Checkpoint;
import io.smallmind.training.NgramBaseline;
import io.smallmind.training.Safetensors;
import io.smallmind.training.TokenData;
import io.smallmind.training.Trainer;
import io.smallmind.training.TrainingRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What training from scratch and going on with a model have in common. */
abstract class TrainingCommand extends AppCommand {
  @Option(
      names = {"-d", "--data"},
      required = true,
      paramLabel = "FILE",
      description = "A text to learn from; may be given several times.")
  private List<Path> texts = new ArrayList<>();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The GGUF file to write; FILE.checkpoint and FILE.png stand beside it.")
  private Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "F16",
      description = "Type of its weights, as for quantize. Default: F16.")
  private String type = "";

  @Option(names = "--resume", description = "Go on with FILE.checkpoint.")
  private boolean resume;

  @Mixin private TrainingOption options = new TrainingOption();

  @Option(
      names = "--save-every",
      paramLabel = "N",
      defaultValue = "100",
      description = "Steps between checkpoints. Default: 100.")
  private long saveEvery;

  @Option(
      names = "--sample-every",
      paramLabel = "N",
      defaultValue = "0",
      description = "Evaluations between samples of what it writes; 0: none. Default: 0.")
  private int sampleEvery;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      defaultValue = "Once upon a time",
      description = "What samples begin with. Default: Once upon a time.")
  private String prompt = "";

  @Option(
      names = "--baseline",
      description = "Tell the validation loss of a trigram model of the same text, too.")
  private boolean baseline;

  @Option(
      names = "--safetensors",
      paramLabel = "FILE",
      description = "Write the weights in Hugging Face's layout, too.")
  private @Nullable Path safetensors;

  @Option(
      names = "--meta",
      paramLabel = "KEY=TEXT",
      description = "What the model file should say, such as general.name=…; several times.")
  private Map<String, String> meta = new LinkedHashMap<>();

  @Option(names = "--json", description = "Print one JSON object at the end, and nothing else.")
  private boolean json;

  TrainingCommand(Main main) {
    super(main);
  }

  /** Returns an option that was given, but says only how a training begins; null if none was. */
  abstract @Nullable String beginning();

  /** Prepares a training that begins. */
  abstract Trainer begin(TrainingOption options, Team team);

  /** Checks options that depend on what is trained. */
  void check(Trainer trainer) {}

  /** Writes what else there is to write, behind the model. */
  void exported(Trainer trainer) {}

  @Override
  int execute() {
    QuantizationMix mix = QuantizationMix.byName(type);
    Path checkpoint = Path.of(output + ".checkpoint");
    int[] code = new int[1];
    if (saveEvery < 1 || sampleEvery < 0) {
      throw usage("--save-every must be 1 or more, --sample-every 0 or more");
    }
    if (json && sampleEvery > 0) {
      throw usage("--json prints no samples; leave out --sample-every");
    }
    if (resume && !Files.exists(checkpoint)) {
      throw usage("--resume: there is no " + checkpoint + "; leave it out to begin");
    }
    if (resume && beginning() != null) {
      throw usage(beginning() + " says how a training begins; leave it out to --resume one");
    }
    withTeam(team -> code[0] = train(team, mix, checkpoint));
    return code[0];
  }

  private int train(Team team, QuantizationMix mix, Path checkpoint) {
    try (Trainer trainer =
        resume
            ? Checkpoint.resume(checkpoint, this::tokens, options::apply, kernels(), team)
            : begin(options, team)) {
      try (TokenData data = trainer.data()) {
        check(trainer);
        checkEvaluations(trainer);
        TrainingReport report = new TrainingReport(this, trainer, sampleEvery, prompt, json);
        report.begin();
        TrainingRun.End end = run(trainer, checkpoint, report);
        if (end == TrainingRun.End.CANCELLED) {
          console().err().println("stopped; --resume goes on from " + checkpoint);
          return Main.INTERRUPTED;
        }
        Path best = best(checkpoint);
        if (end == TrainingRun.End.STOPPED_EARLY && best != null) {
          try (Trainer back = Checkpoint.resume(best, t -> data, o -> o, kernels(), team)) {
            export(back, mix);
          }
        } else {
          export(trainer, mix);
        }
        finish(trainer, end, data);
        return Main.DONE;
      }
    }
  }

  private void checkEvaluations(Trainer trainer) {
    String given =
        baseline ? "--baseline" : sampleEvery > 0 ? "--sample-every" : options.evaluation();
    if (given != null && !trainer.validates()) {
      throw usage(given + " needs evaluations; hold text back by --validation");
    }
  }

  private @Nullable Path best(Path checkpoint) {
    Path best = Path.of(checkpoint + ".best");
    return Files.exists(best) ? best : null;
  }

  @SuppressWarnings("try") // Closed, but not called.
  private TrainingRun.End run(Trainer trainer, Path checkpoint, TrainingReport report) {
    AtomicBoolean cancelled = new AtomicBoolean();
    Path best = trainer.options().patience() > 0 ? Path.of(checkpoint + ".best") : null;
    try (Interrupts ignored = Interrupts.handle(() -> cancelled.set(true));
        report) {
      return TrainingRun.run(trainer, checkpoint, best, saveEvery, cancelled::get, report);
    }
  }

  private void export(Trainer trainer, QuantizationMix mix) {
    for (Map.Entry<String, String> entry : meta.entrySet()) {
      trainer.describe(entry.getKey(), GgufValue.string(entry.getValue()));
    }
    trainer.export(output, mix);
    if (safetensors != null) {
      Safetensors.write(trainer, safetensors);
    }
    exported(trainer);
  }

  private void finish(Trainer trainer, TrainingRun.End end, TokenData data) {
    Path picture = Path.of(output + ".png");
    String problem = LossPicture.write(trainer.history(), picture);
    double loss = trainer.history().bestEvaluation();
    double counted =
        baseline
            ? NgramBaseline.loss(
                data, trainer.options().validation(), trainer.config().vocabulary())
            : Double.NaN;
    if (json) {
      JsonObject object = new JsonObject();
      object.addProperty("output", output.toString());
      object.addProperty("steps", trainer.done());
      object.addProperty("end", end.name().toLowerCase(Locale.ROOT));
      object.addProperty("parameters", trainer.parameters());
      object.add("validationLoss", Json.number(loss));
      object.add("trigramLoss", Json.number(counted));
      object.addProperty("picture", problem == null ? picture.toString() : null);
      print(object);
      return;
    }
    console()
        .out()
        .printf(
            Locale.ROOT,
            "%s: %d steps%s%s%n",
            output,
            trainer.done(),
            Double.isNaN(loss) ? "" : String.format(Locale.ROOT, ", validation loss %.4f", loss),
            Double.isNaN(counted)
                ? ""
                : String.format(Locale.ROOT, " (a trigram model's: %.4f)", counted));
    console().out().println(problem == null ? "the losses: " + picture : problem);
  }

  /** Returns the tokens of all texts. */
  final TokenData tokens(Tokenizer tokenizer) {
    return TokenData.encode(texts, tokenizer);
  }

  final List<Path> texts() {
    return texts;
  }
}
