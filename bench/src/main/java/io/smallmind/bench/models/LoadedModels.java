package io.smallmind.bench.models;

import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file as loaded by every backend on every team: by the first work that needs it, for all that
 * share it, until {@link #release} was called for each of them. Not thread-safe.
 */
final class LoadedModels {
  private record Key(Kernels kernels, Team team, boolean packed) {}

  private final ModelFile file;
  private final Map<Key, LoadedModel> loaded = new LinkedHashMap<>();
  private @Nullable LogitsReference reference;
  private int users;

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

  /**
   * Returns the model as a backend and a team run it.
   *
   * @param packed whether weights are packed, or multiplied as the file's pages hold them
   */
  LoadedModel get(Kernels kernels, Team team, boolean packed) {
    return loaded.computeIfAbsent(
        new Key(kernels, team, packed), key -> new LoadedModel(file, kernels, team, packed));
  }

  /** Returns the scores that every backend must come close to. */
  LogitsReference reference(Team team) {
    if (reference == null) {
      reference = LogitsReference.compute(file, team);
    }
    return reference;
  }

  /** Ends one use; the last one frees everything. */
  void release() {
    if (--users == 0) {
      loaded.values().forEach(LoadedModel::close);
      loaded.clear();
    }
  }
}
