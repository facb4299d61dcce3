package io.smallmind.kernels;

import java.util.List;

/**
 * Offers implementations of {@link Kernels} to the registry; found by {@link
 * java.util.ServiceLoader}.
 */
public interface KernelsProvider {
  /**
   * Returns every implementation this provider knows, available here or not. Never throws for a
   * native library that can't load, a missing module or CPU feature: that is a candidate with a
   * reason.
   */
  List<Candidate> candidates();
}
