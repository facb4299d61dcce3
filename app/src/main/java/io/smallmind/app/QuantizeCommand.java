package io.smallmind.app;

import com.google.gson.JsonObject;
import io.smallmind.convert.ModelQuantizer;
import io.smallmind.convert.QuantizationMix;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Converts a model's weights to another type. */
@Command(
    name = "quantize",
    description = "Writes a model anew with its weights in another type.",
    sortOptions = false)
final class QuantizeCommand extends AppCommand {
  @Parameters(index = "0", paramLabel = "INPUT", description = "A GGUF file.")
  private Path input = Path.of("");

  @Parameters(index = "1", paramLabel = "OUTPUT", description = "The GGUF file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "Q4_K_M",
      description =
          "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K_S, Q3_K_M, Q3_K_L, Q4_K_S,"
              + " Q4_K_M, Q5_K_S, Q5_K_M, Q6_K, IQ4_NL, IQ4_XS or MXFP4. Default: Q4_K_M.")
  private String type = "";

  @Option(
      names = "--lora",
      paramLabel = "FILE",
      description = "Merge this LoRA adapter, a GGUF file, into the weights first.")
  private @Nullable Path adapter;

  @Option(
      names = "--lora-scale",
      paramLabel = "X",
      description = "How much of the adapter to add. Default: 1, all.")
  private @Nullable Double adapterStrength;

  @Option(names = "--pure", description = "Give every weight the same type.")
  private boolean pure;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  QuantizeCommand(Main main) {
    super(main);
  }

  @Override
  int execute() {
    if (adapterStrength != null && adapter == null) {
      throw usage("--lora-scale needs --lora");
    }
    double strength = adapterStrength == null ? 1 : adapterStrength;
    QuantizationMix mix = QuantizationMix.byName(type);
    withTeam(
        team -> {
          ModelQuantizer.Result result;
          try (Progress progress = new Progress(console())) {
            result =
                adapter == null
                    ? ModelQuantizer.quantize(input, output, mix, pure, team, progress.listener())
                    : ModelQuantizer.merge(
                        input, adapter, strength, output, mix, pure, team, progress.listener());
          }
          if (json) {
            JsonObject object = new JsonObject();
            object.addProperty("output", output.toString());
            object.addProperty("type", mix.name());
            object.addProperty("bytesBefore", result.bytesBefore());
            object.addProperty("bytesAfter", result.bytesAfter());
            JsonObject types = new JsonObject();
            result.tensors().forEach((key, count) -> types.addProperty(key.name(), count));
            object.add("tensors", types);
            print(object);
          } else {
            console()
                .out()
                .println(
                    output
                        + ": "
                        + mix
                        + ", tensors of "
                        + Sizes.bytes(result.bytesAfter())
                        + " instead of "
                        + Sizes.bytes(result.bytesBefore())
                        + " "
                        + result.tensors());
          }
        });
    return Main.DONE;
  }
}
