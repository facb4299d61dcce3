package io.smallmind.bench;

import io.smallmind.bench.models.ModelFile;
import io.smallmind.bench.models.ModelFiles;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.error.SmallMindException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which models to run: files, or shapes with random weights. */
final class ModelSource {
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

  /** Returns the files; those of shapes are written if they are not there. */
  List<ModelFile> files(RunOptions options) throws IOException {
    if (models != null && (shapes != null || types != null)) {
      throw options.usage("--model brings its own shape and types; leave --shape and --types out");
    }
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
}
