package io.smallmind.bench;

import io.smallmind.bench.models.LoadTrial;
import io.smallmind.bench.models.ModelFile;
import io.smallmind.bench.models.Models;
import io.smallmind.bench.rivals.ModelRival;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which models do what. */
final class ModelSelection {
  private static final int LONGEST = 1 << 20;

  private static final List<String> OPTIONS =
      List.of(
          "--prompt",
          "--generate",
          "--depth",
          "--sessions",
          "--kv",
          "--batch",
          "--beside",
          "--quota",
          "--kept",
          "--mapped",
          "--no-load");

  @Mixin private ModelSource source = new ModelSource();

  @Option(
      names = "--prompt",
      split = ",",
      paramLabel = "N",
      description = "Tokens of the prompts; 0 for none. Default: 128,512, quick 128.")
  @Nullable List<Integer> prompts;

  @Option(
      names = "--generate",
      split = ",",
      paramLabel = "N",
      description = "Tokens to generate in a row; 0 for none. Default: 64, quick 32.")
  @Nullable List<Integer> generate;

  @Option(
      names = "--depth",
      split = ",",
      paramLabel = "N",
      description = "Tokens of context before those that are generated. Default: 0,1024, quick 0.")
  @Nullable List<Integer> depths;

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

  @Mixin private BesideOption beside = new BesideOption();

  @Mixin private QuotaOption quota = new QuotaOption();

  @Option(
      names = "--kept",
      description =
          "Have each backend take part once more, with packed weights of a file that keeps them.")
  boolean kept;

  @Option(
      names = "--mapped",
      description =
          "Have each backend take part once more, with weights that are mapped, not packed.")
  boolean mapped;

  @Option(names = "--no-load", description = "Don't measure loading.")
  boolean withoutLoading;

  /** Returns whether models are asked for by name. */
  boolean areWanted() {
    return source.areWanted();
  }

  /** Returns the types of the weights, if they are said. */
  @Nullable List<String> types() {
    return source.types;
  }

  /** Returns the folder of what the bench makes and fetches. */
  Path folder() {
    return source.folder();
  }

  /** Refuses options that say nothing where no models take part. */
  void refuse(RunOptions options) {
    for (String option : OPTIONS) {
      if (options.isSaid(option)) {
        throw options.usage(option + " is of models; name one by --shape or --model");
      }
    }
  }

  /**
   * Returns the work that is asked for; models of shapes are written if they are not there.
   *
   * @param rivals engines to compare with
   */
  List<BenchRun.Plan> plans(RunOptions options, List<ModelRival> rivals) throws IOException {
    List<Integer> reads = or(prompts, options.quick ? List.of(128) : List.of(128, 512));
    List<Integer> writes = or(generate, List.of(options.quick ? 32 : 64));
    List<Integer> contexts = or(depths, options.quick ? List.of(0) : List.of(0, 1024));
    check(options, "--prompt", reads, 0);
    check(options, "--generate", writes, 0);
    check(options, "--depth", contexts, 0);
    reads = reads.stream().filter(count -> count > 0).toList();
    writes = writes.stream().filter(count -> count > 0).toList();
    if (reads.isEmpty() && writes.isEmpty()) {
      throw options.usage("neither --prompt nor --generate leaves anything to do");
    }
    if (withoutLoading && !rivals.isEmpty()) {
      throw options.usage("--no-load: beside rivals, loading is not measured anyway");
    }
    check(options, "--sessions", sessions, 1);
    check(options, "--batch", List.of(batch), 1);
    int busy = beside.processes(options);
    Double granted = quota.processors(options);
    List<TensorType> caches = cacheTypes(options);
    options.longCalls();
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (ModelFile file : source.files(options)) {
      if (rivals.isEmpty() && !withoutLoading) {
        // First: what others have mapped can't be dropped from memory.
        plans.addAll(loading(file));
      }
      for (TensorType cache : caches) {
        plans.addAll(plans(file, cache, reads, writes, contexts, rivals, busy, granted));
      }
    }
    return plans;
  }

  private static List<Integer> or(@Nullable List<Integer> said, List<Integer> standard) {
    return said == null ? standard : said;
  }

  private static List<BenchRun.Plan> loading(ModelFile file) {
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (boolean cold : new boolean[] {true, false}) {
      String title = file.title() + " " + file.type() + ", load, " + (cold ? "cold" : "warm");
      plans.add(new BenchRun.Plan(title, all -> LoadTrial.workload(all, file, cold)));
    }
    return plans;
  }

  private List<BenchRun.Plan> plans(
      ModelFile file,
      TensorType cache,
      List<Integer> reads,
      List<Integer> writes,
      List<Integer> contexts,
      List<ModelRival> rivals,
      int busy,
      @Nullable Double granted) {
    int count = reads.size() + writes.size() * contexts.size() * sessions.size();
    Models work = new Models(file, count, cache, batch, rivals).beside(busy).quota(granted);
    if (kept) {
      work.kept();
    }
    if (mapped) {
      work.mapped();
    }
    String name = file.title() + " " + file.type() + ", ";
    List<BenchRun.Plan> plans = new ArrayList<>();
    for (int tokens : reads) {
      plans.add(
          new BenchRun.Plan(name + "prefill of " + tokens, all -> work.prefill(all, tokens, 0)));
    }
    for (int tokens : writes) {
      for (int depth : contexts) {
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

  private List<TensorType> cacheTypes(RunOptions options) {
    return cacheTypes.stream().map(name -> cacheType(options, name)).toList();
  }

  /** Returns the type of keys and values that --kv names. */
  static TensorType cacheType(RunOptions options, String name) {
    return switch (name.strip().toLowerCase(Locale.ROOT)) {
      case "f16" -> TensorType.F16;
      case "q8_0" -> TensorType.Q8_0;
      case "f32" -> TensorType.F32;
      default -> throw options.usage("--kv: choose f16, q8_0 or f32, not " + name);
    };
  }

  static void check(RunOptions options, String option, List<Integer> counts, int least) {
    for (int count : counts) {
      if (count < least || count > LONGEST) {
        throw options.usage(option + ": choose " + least + " to " + LONGEST + ", not " + count);
      }
    }
  }
}
