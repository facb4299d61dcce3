package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.convert.SyntheticModel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model of random weights. */
@Command(
    name = "synth",
    description = "Writes a model of a real shape with random weights, to measure speed with.",
    sortOptions = false)
final class SynthCommand extends AppCommand {
  @Parameters(index = "0", arity = "0..1", paramLabel = "SHAPE", description = "See --list.")
  private @Nullable String shape;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "OUTPUT",
      description = "The file to write.")
  private @Nullable Path output;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "Q4_0",
      description = "Type of the weights, as for quantize. Default: Q4_0.")
  private String type = "";

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same file. Default: 1.")
  private long seed;

  @Option(
      names = "--sparse",
      description = "Leave holes for the weights: they are zeros, and take no disk.")
  private boolean sparse;

  @Option(names = "--list", description = "List the shapes.")
  private boolean list;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SynthCommand(Main main) {
    super(main);
  }

  @Override
  int execute() {
    if (list) {
      ModelShape.ALL.forEach(
          one -> console().out().printf("%-18s %s%n", one.name(), one.architecture().id()));
      return Main.DONE;
    }
    String name = shape;
    Path target = output;
    if (name == null || target == null) {
      throw usage("name a shape (see --list) and a file to write");
    }
    ModelShape wanted = ModelShape.byName(name);
    QuantizationMix mix = QuantizationMix.byName(type);
    withTeam(
        team -> {
          long bytes;
          try (Progress progress = new Progress(console())) {
            bytes =
                SyntheticModel.write(target, wanted, mix, seed, sparse, team, progress.listener());
          }
          if (json) {
            JsonObject object = new JsonObject();
            object.addProperty("output", target.toString());
            object.addProperty("shape", name);
            object.addProperty("type", mix.name());
            object.addProperty("bytes", bytes);
            print(object);
          } else {
            console().out().println(target + ": " + name + " " + mix + ", " + Sizes.bytes(bytes));
          }
        });
    return Main.DONE;
  }
}
