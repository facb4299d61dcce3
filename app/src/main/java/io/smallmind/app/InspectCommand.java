package io.smallmind.app;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.smallmind.error.SmallMindException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufValue;
import io.smallmind.model.ModelConfig;
import io.smallmind.tensor.TensorType;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what is inside a GGUF file. */
@Command(
    name = "inspect",
    description = "Shows metadata, tensors and the memory that a GGUF file will need.",
    sortOptions = false)
final class InspectCommand extends AppCommand {
  /** Longer arrays are cut: a vocabulary fills screens. */
  private static final int SHOWN_ELEMENTS = 16;

  @Parameters(paramLabel = "FILE", description = "A GGUF file.")
  private Path path = Path.of("");

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Estimate memory for so many tokens of context.")
  private @Nullable Integer context;

  @Option(names = "--tensors", description = "List every tensor; with --json they always are.")
  private boolean tensors;

  @Option(names = "--full", description = "Show arrays whole, such as vocabularies.")
  private boolean full;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  InspectCommand(Main main) {
    super(main);
  }

  @Override
  int execute() {
    if (context != null && context < 1) {
      throw usage("--context " + context + ": choose 1 or more");
    }
    try (GgufFile file = GgufFile.open(path)) {
      ModelConfig config = null;
      String obstacle = null;
      try {
        config = ModelConfig.of(file);
      } catch (SmallMindException e) {
        obstacle = e.getMessage();
      }
      MemoryEstimate memory =
          config == null ? null : MemoryEstimate.of(file, config, kernels(), context);
      if (json) {
        print(toJson(file, memory, obstacle));
      } else {
        print(file, memory, obstacle);
      }
    }
    return Main.DONE;
  }

  private JsonObject toJson(
      GgufFile file, @Nullable MemoryEstimate memory, @Nullable String obstacle) {
    JsonObject object = new JsonObject();
    object.addProperty("file", file.path().toString());
    object.addProperty("bytes", file.size());
    object.addProperty("version", file.version());
    object.addProperty("alignment", file.alignment());
    object.addProperty("architecture", file.metadata().string("general.architecture", ""));
    object.addProperty("parameters", parameters(file));
    JsonObject metadata = new JsonObject();
    for (String key : file.metadata().keys()) {
      metadata.add(key, value(file.metadata().value(key)));
    }
    object.add("metadata", metadata);
    JsonArray list = new JsonArray();
    for (GgufTensor tensor : file.tensors()) {
      JsonObject one = new JsonObject();
      one.addProperty("name", tensor.name());
      one.addProperty("type", tensor.type().name());
      one.add("shape", Json.array(tensor.shape()));
      one.addProperty("offset", tensor.offset());
      one.addProperty("bytes", tensor.bytes());
      list.add(one);
    }
    object.add("tensors", list);
    object.add("memory", memory == null ? JsonNull.INSTANCE : memory.toJson());
    object.addProperty("runnable", memory != null);
    object.add("obstacle", obstacle == null ? JsonNull.INSTANCE : new JsonPrimitive(obstacle));
    return object;
  }

  private JsonElement value(GgufValue value) {
    if (!value.isArray()) {
      return element(value, 0);
    }
    int shown = full ? value.length() : Math.min(value.length(), SHOWN_ELEMENTS);
    JsonArray array = new JsonArray();
    for (int i = 0; i < shown; i++) {
      array.add(element(value, i));
    }
    if (shown == value.length()) {
      return array;
    }
    JsonObject cut = new JsonObject();
    cut.addProperty("type", value.describeType());
    cut.addProperty("length", value.length());
    cut.add("first", array);
    return cut;
  }

  private static JsonElement element(GgufValue value, int index) {
    return switch (value.scalarType()) {
      case STRING -> new JsonPrimitive(value.stringAt(index));
      case BOOL -> new JsonPrimitive(value.boolAt(index));
      case FLOAT32 -> Json.number((float) value.realAt(index));
      case FLOAT64 -> Json.number(value.realAt(index));
      case UINT64 ->
          new JsonPrimitive(
              new java.math.BigInteger(Long.toUnsignedString(value.integerAt(index))));
      default -> new JsonPrimitive(value.integerAt(index));
    };
  }

  private static long parameters(GgufFile file) {
    return file.tensors().stream().mapToLong(GgufTensor::elements).sum();
  }

  private void print(GgufFile file, @Nullable MemoryEstimate memory, @Nullable String obstacle) {
    row("file", file.path().toString());
    row("size", Sizes.bytes(file.size()) + ", GGUF v" + file.version());
    row("architecture", file.metadata().string("general.architecture", "unknown"));
    row("parameters", Sizes.count(parameters(file)));
    row("tensors", file.tensors().size() + ": " + types(file));
    if (memory != null) {
      memory.rows().forEach(this::row);
    } else {
      row("can't be run", String.valueOf(obstacle));
    }
    heading("metadata");
    for (String key : file.metadata().keys()) {
      GgufValue value = file.metadata().value(key);
      console().out().println("  " + key + " = " + (full ? value(value) : value));
    }
    if (tensors) {
      heading("tensors");
      for (GgufTensor tensor : file.tensors()) {
        console().out().printf("  %-8s %-20s %s%n", tensor.type(), tensor.shape(), tensor.name());
      }
    }
  }

  private static String types(GgufFile file) {
    Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
    file.tensors().forEach(tensor -> bytes.merge(tensor.type(), tensor.bytes(), Long::sum));
    return bytes.entrySet().stream()
        .map(entry -> entry.getKey() + " " + Sizes.bytes(entry.getValue()))
        .collect(Collectors.joining(", "));
  }

  private void row(String name, String value) {
    console().out().printf("%-14s %s%n", name, value);
  }

  private void heading(String text) {
    console().out().println();
    console().out().println(console().colours() ? "\u001b[1m" + text + "\u001b[0m" : text);
  }
}
