package io.smallmind.kernels;

import io.smallmind.error.BackendException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * Every implementation of {@link Kernels} known to this JVM, best first, and the choice among them.
 * Immutable and thread-safe.
 *
 * <p>The system property {@value #BACKEND_PROPERTY} forces an implementation by name; without it
 * the best available one is taken, and one log line says which, and why not a better one.
 */
public final class KernelRegistry {
  /** Names the implementation to use; if it can't be had, that is an error. */
  public static final String BACKEND_PROPERTY = "smallmind.backend";

  private static final System.Logger LOG = System.getLogger("io.smallmind.kernels");

  private final List<Candidate> candidates;

  /** Builds a registry from providers; scalar and vector always belong to it. */
  KernelRegistry(Iterable<KernelsProvider> providers) {
    List<Candidate> all = new ArrayList<>(new JavaKernelsProvider().candidates());
    for (KernelsProvider provider : providers) {
      all.addAll(provider.candidates());
    }
    all.sort(Comparator.comparingInt(Candidate::rank).reversed());
    candidates = List.copyOf(all);
  }

  /** Returns the registry of this JVM; providers are looked up once. */
  public static KernelRegistry get() {
    return Holder.REGISTRY;
  }

  /** Returns every implementation, available or not, best first. */
  public List<Candidate> candidates() {
    return candidates;
  }

  /** Returns the implementations that can run here, best first; never empty. */
  public List<Kernels> available() {
    return candidates.stream()
        .flatMap(candidate -> Optional.ofNullable(candidate.kernels()).stream())
        .toList();
  }

  /**
   * Returns the implementation that {@value #BACKEND_PROPERTY} names, or else the best one.
   *
   * @throws BackendException if the property names one that can't be had
   */
  public Kernels choose() {
    String forced = System.getProperty(BACKEND_PROPERTY);
    return forced == null || forced.isBlank() ? Holder.best() : byName(forced);
  }

  /**
   * Returns the implementation of this name.
   *
   * @throws BackendException if there is none, or it can't run here; the message says why
   */
  public Kernels byName(String name) {
    for (Candidate candidate : candidates) {
      if (candidate.name().equals(name)) {
        Kernels kernels = candidate.kernels();
        if (kernels == null) {
          throw new BackendException(
              "backend '" + name + "' can't be used: " + candidate.detail(), candidate.failure());
        }
        return kernels;
      }
    }
    throw new BackendException(
        "unknown backend '"
            + name
            + "'; known are "
            + candidates.stream().map(Candidate::name).collect(Collectors.joining(", ")));
  }

  /** Returns one line for every implementation: its name, and what it runs on or why it can't. */
  public String explain() {
    StringBuilder text = new StringBuilder();
    for (Candidate candidate : candidates) {
      Kernels kernels = candidate.kernels();
      text.append(kernels == null ? "- " : "+ ")
          .append(candidate.name())
          .append(": ")
          .append(candidate.detail());
      if (kernels != null && !kernels.status().isEmpty()) {
        text.append("; ").append(kernels.status());
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static final class Holder {
    static final KernelRegistry REGISTRY =
        new KernelRegistry(
            ServiceLoader.load(KernelsProvider.class, KernelRegistry.class.getClassLoader()));

    private static final class Best {
      static final Kernels KERNELS = REGISTRY.available().getFirst();

      static {
        LOG.log(System.Logger.Level.INFO, REGISTRY.summary());
      }
    }

    static Kernels best() {
      return Best.KERNELS;
    }
  }

  /** Returns one line: the best implementation, and the reasons against each better one. */
  String summary() {
    StringBuilder line = new StringBuilder();
    for (Candidate candidate : candidates) {
      if (candidate.kernels() != null) {
        return "using backend " + candidate.name() + line + (line.isEmpty() ? "" : ")");
      }
      line.append(line.isEmpty() ? " (" : "; ")
          .append("not ")
          .append(candidate.name())
          .append(": ")
          .append(candidate.detail());
    }
    throw new IllegalStateException("the scalar backend is always available");
  }
}
