package io.smallmind.bench;

import io.smallmind.error.BackendException;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.Kernels;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Finds the backends that a person names. */
final class BackendChoice {
  /** One of each: the best native one, and both of Java. */
  static final List<String> FAMILIES = List.of("native", "vector", "scalar");

  private static final String ALL = "all";

  private BackendChoice() {}

  /** Returns the best of each family that runs here. */
  static List<Kernels> standard(List<Candidate> candidates) {
    Set<Kernels> chosen = new LinkedHashSet<>();
    for (String family : FAMILIES) {
      for (Candidate candidate : candidates) {
        Kernels kernels = candidate.kernels();
        if (kernels != null && isOf(candidate, family)) {
          chosen.add(kernels);
          break;
        }
      }
    }
    return List.copyOf(chosen);
  }

  /**
   * Returns the backends of these names, in the registry's order of speed.
   *
   * @param candidates best first
   * @param names of backends or families (the best of it), or {@code all}
   * @throws UnknownBackendException if a name is none
   * @throws BackendException if one can't be had here
   */
  static List<Kernels> named(List<Candidate> candidates, List<String> names) {
    Set<Kernels> wanted = new LinkedHashSet<>();
    for (String name : names) {
      wanted.addAll(named(candidates, name));
    }
    return candidates.stream()
        .map(Candidate::kernels)
        .filter(kernels -> kernels != null && wanted.contains(kernels))
        .toList();
  }

  private static List<Kernels> named(List<Candidate> candidates, String name) {
    List<Candidate> matching =
        candidates.stream()
            .filter(one -> name.equals(ALL) || one.name().equals(name) || isOf(one, name))
            .toList();
    if (matching.isEmpty()) {
      throw new UnknownBackendException(
          "unknown backend '"
              + name
              + "'; known are "
              + candidates.stream().map(Candidate::name).collect(Collectors.joining(", "))
              + ", native, all");
    }
    List<Kernels> available =
        matching.stream()
            .<Kernels>mapMulti(
                (one, add) -> {
                  Kernels kernels = one.kernels();
                  if (kernels != null) {
                    add.accept(kernels);
                  }
                })
            .toList();
    if (available.isEmpty()) {
      throw new BackendException(
          "backend '" + name + "' can't be used: " + matching.getFirst().detail());
    }
    return name.equals(ALL) ? available : List.of(available.getFirst());
  }

  private static boolean isOf(Candidate candidate, String family) {
    return candidate.name().equals(family) || candidate.name().startsWith(family + "-");
  }
}
