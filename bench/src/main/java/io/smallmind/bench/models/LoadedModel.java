package io.smallmind.bench.models;

import io.smallmind.bench.host.ProcessMemory;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.LoadOptions;
import io.smallmind.model.Model;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model that a backend runs on a team, and what loading it took. */
final class LoadedModel implements AutoCloseable {
  private final GgufFile file;
  private final Model model;
  private final Map<String, Double> figures = new LinkedHashMap<>();

  LoadedModel(ModelFile source, Kernels kernels, Team team, WeightsHeld held) {
    Long before = ProcessMemory.residentBytes();
    long begin = System.nanoTime();
    file = GgufFile.open(source.path());
    try {
      LoadOptions options =
          LoadOptions.defaults()
              .withPack(held != WeightsHeld.MAPPED)
              .withKeepPacked(held == WeightsHeld.KEPT);
      model = Model.load(file, kernels, team, options);
    } catch (Throwable e) {
      file.close();
      throw e;
    }
    figures.put("loadSeconds", (System.nanoTime() - begin) / 1e9);
    @Nullable Long after = ProcessMemory.residentBytes();
    if (before != null && after != null) {
      figures.put("residentBytes", (double) (after - before));
    }
  }

  Model model() {
    return model;
  }

  Map<String, Double> figures() {
    return figures;
  }

  @Override
  public void close() {
    model.close();
    file.close();
  }
}
