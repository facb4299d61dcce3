package io.smallmind.kernels;

import org.jspecify.annotations.Nullable;

/**
 * An implementation of {@link Kernels} that could be chosen on this machine, or the reason why it
 * can't.
 *
 * @param name by which it is chosen
 * @param rank the higher, the faster: scalar is 0, vector 100, natives from 200 on
 * @param kernels the implementation, or null if it is not available here
 * @param detail what it runs on, such as library versions; or, if not available, the reason and the
 *     remedy
 * @param failure what was thrown while loading, if anything was
 */
public record Candidate(
    String name, int rank, @Nullable Kernels kernels, String detail, @Nullable Throwable failure) {

  /** Returns an implementation that is available. */
  public static Candidate available(int rank, Kernels kernels, String detail) {
    return new Candidate(kernels.name(), rank, kernels, detail, null);
  }

  /** Returns an implementation that is not available, and why. */
  public static Candidate missing(
      String name, int rank, String reason, @Nullable Throwable failure) {
    return new Candidate(name, rank, null, reason, failure);
  }
}
