package io.smallmind.bench;

import io.smallmind.bench.models.ModelFile;
import io.smallmind.bench.models.ModelFiles;
import io.smallmind.bench.models.Models;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.SmallMindException;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which models do what. */
final class ModelSelection {
  private static final int LONGEST = 1 << 20;

  @Option(names = "--model", split = ",", paramLabel = "FILE", description = "GGUF files to run.")
  @Nullable List<Path> models;

  @Option(
      names = "--shape",
      split = ",",
      paramLabel = "NAME",
      description =
          "Or real shapes with random weights, written once: stories15m, smollm2-135m,"
              + " llama3.2-1b, ... Default: smollm2-135m.")
  @Nullable List<String> shapes;

  @Option(
      names = "--types",
      split = ",",
      paramLabel = "TYPE",
      description = "Types of their weights, such as Q4_0,Q4_K_M. Default: Q4_0.")
  @Nullable List<String> types;

  @Option(
      names = "--prompt",
      split = ",",
      paramLabel = "N",
      description = "Tokens of the prompts; 0 for none. Default: 512.")
  List<Integer> prompts = List.of(512);

  @Option(
      names = "--generate",
      split = ",",
      paramLabel = "N",
      description = "Tokens to generate in a row; 0 for none. Default: 64.")
  List<Integer> generate = List.of(64);

  @Option(
      names = "--depth",
      split = ",",
      paramLabel = "N",
      description = "Tokens of context before those that are generated. Default: 0.")
  List<Integer> depths = List.of(0);

  @Option(
      names = "--sessions",
      split = ",",
      paramLabel = "N",
      description = "Sessions that generate side by side. Default: 1.")
  List<Integer> sessions = List.of(1);

  @Option(
      names = "--kv",
      split = ",",
      paramLabel = "TYPE",
      description = "Types of keys and values: f16, q8_0, f32. Default: f16.")
  List<String> cacheTypes = List.of("f16");

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Most tokens of a prompt per forward pass. Default: 512.")
  int batch = 512;

  @Option(
      names = "--cache",
      paramLabel = "FOLDER",
      description = "Where models of shapes are kept. Default: smallmind-bench in ~/.cache.")
  @Nullable Path folder;

  /** Returns whether models are asked for by name. */
  boolean areWanted() {
    return models != null || shapes != null;
  }

  /** Returns the folder of what the bench makes and fetches. */
  Path folder() {
    return folder == null ? ModelFiles.standardFolder() : folder;
  }

  /**
   * Returns the work that is asked for; models of shapes are written if they are not there.
   *
   * @param rivals engines to compare with
   */
  List<BenchRun.Plan> plans(RunOptions options, List<ModelRival> rivals) throws IOException {
    if (models != null && (shapes != null || types != null)) {
      throw options.usage("--model brings its own shape and types; leave --shape and --types out");
    }
    check(options, "--prompt", prompts, 0);
    check(options, "--generate", generate, 0);
    check(options, "--depth", depths, 0);
    check(options, "--sessions", sessions, 1);
    check(options, "--batch", List.of(batch), 1);
    List<TensorType> caches = cacheTypes(options);
    options.longCalls();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : files(options)) {
      for (TensorType cache : caches) {
        plans.addAll(plans(file, cache, rivals));
      }
    }
    if (plans.isEmpty()) {
      throw options.usage("neither --prompt nor --generate leaves anything to do");
    }
    return plans;
  }

  private List<BenchRun.Plan> plans(ModelFile file, TensorType cache, List<ModelRival> rivals) {
    List<Integer> reads = prompts.stream().filter(count -> count > 0).toList();
    List<Integer> writes = generate.stream().filter(count -> count > 0).toList();
    int count = reads.size() + writes.size() * depths.size() * sessions.size();
    Models work = new Models(file, count, cache, batch, rivals);
    String name = file.title() + " " + file.type() + ", ";
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (int tokens : reads) {
      plans.add(
          new BenchRun.Plan(name + "prefill of " + tokens, all -> work.prefill(all, tokens, 0)));
    }
    for (int tokens : writes) {
      for (int depth : depths) {
        for (int many : sessions) {
          plans.add(
              new BenchRun.Plan(
                  name + "decode of " + tokens + " behind " + depth,
                  all -> work.decode(all, tokens, depth, many)));
        }
      }
    }
    return plans;
  }

  private List<ModelFile> files(RunOptions options) throws IOException {
    List<ModelFile> files = new ArrayList<>();
    if (models != null) {
      for (Path model : models) {
        if (!Files.isRegularFile(model)) {
          throw options.usage("--model: no file " + model);
        }
        String title = String.valueOf(model.getFileName()).replaceFirst("\\.gguf$", "");
        files.add(ModelFile.of(model, title, ""));
      }
      return files;
    }
    Path place = folder();
    List<ModelShape> wanted = new ArrayList<>();
    List<QuantizationMix> mixes = new ArrayList<>();
    try {
      for (String shape : shapes == null ? List.of("smollm2-135m") : shapes) {
        wanted.add(ModelShape.byName(shape.strip()));
      }
      for (String type : types == null ? List.of("Q4_0") : types) {
        mixes.add(QuantizationMix.byName(type.strip()));
      }
    } catch (SmallMindException e) {
      throw options.usage(String.valueOf(e.getMessage()));
    }
    for (ModelShape shape : wanted) {
      for (QuantizationMix mix : mixes) {
        files.add(ModelFiles.synthetic(place, shape, mix));
      }
    }
    return files;
  }

  private List<TensorType> cacheTypes(RunOptions options) {
    List<TensorType> caches = new ArrayList<>();
    for (String name : cacheTypes) {
      switch (name.strip().toLowerCase(Locale.ROOT)) {
        case "f16" -> caches.add(TensorType.F16);
        case "q8_0" -> caches.add(TensorType.Q8_0);
        case "f32" -> caches.add(TensorType.F32);
        default -> throw options.usage("--kv: choose f16, q8_0 or f32, not " + name);
      }
    }
    return caches;
  }

  private static void check(RunOptions options, String option, List<Integer> counts, int least) {
    for (int count : counts) {
      if (count < least || count > LONGEST) {
        throw options.usage(option + ": choose " + least + " to " + LONGEST + ", not " + count);
      }
    }
  }
}
