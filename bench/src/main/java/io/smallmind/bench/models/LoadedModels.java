package io.smallmind.bench.models;

import io.smallmind.bench.host.AtExit;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A file as loaded by every backend on every team: by the first work that needs it, for all that
 * share it, until {@link #release} was called for each of them. Not thread-safe.
 */
final class LoadedModels {
  private record Key(Kernels kernels, Team team, WeightsHeld held) {}

  private final ModelFile file;
  private final Map<Key, LoadedModel> loaded = new LinkedHashMap<>();
  private @Nullable LogitsReference reference;
  private int users;
  private final Set<Path> keptFiles = ConcurrentHashMap.newKeySet();
  private @Nullable AtExit atExit;

  /**
   * Creates an empty set.
   *
   * @param users how many workloads will use it
   */
  LoadedModels(ModelFile file, int users) {
    this.file = file;
    this.users = users;
  }

  ModelFile file() {
    return file;
  }

  /** Returns the model as a backend and a team run it. */
  LoadedModel get(Kernels kernels, Team team, WeightsHeld held) {
    LoadedModel there = loaded.get(new Key(kernels, team, held));
    if (there != null) {
      return there;
    }
    if (held == WeightsHeld.KEPT) {
      keep(kernels, team);
    }
    LoadedModel model = new LoadedModel(file, kernels, team, held);
    loaded.put(new Key(kernels, team, held), model);
    return model;
  }

  /** Returns the scores that every backend must come close to. */
  LogitsReference reference(Team team) {
    if (reference == null) {
      reference = LogitsReference.compute(file, team);
    }
    return reference;
  }

  /**
   * Has a backend's packed weights kept in a file, which is deleted in the end if it was not there
   * before.
   */
  void keep(Kernels kernels, Team team) {
    Path kept = Model.keptFile(file.path(), kernels);
    if (!Files.exists(kept)) {
      keptFiles.add(kept);
      if (keptFiles.size() == 1) {
        atExit = new AtExit(() -> keptFiles.forEach(LoadedModels::delete));
      }
    }
    // What loads next maps it.
    new LoadedModel(file, kernels, team, WeightsHeld.KEPT).close();
  }

  /** Ends one use; the last one frees everything. */
  void release() {
    if (--users == 0) {
      loaded.values().forEach(LoadedModel::close);
      loaded.clear();
      if (atExit != null) {
        atExit.close();
      }
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It only takes room.
    }
  }
}
