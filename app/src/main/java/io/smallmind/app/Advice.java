package io.smallmind.app;

import io.smallmind.kernels.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Finds what a person could do to make models run faster. */
final class Advice {
  private static final int NATIVE_RANK = 200;

  private Advice() {}

  /**
   * Returns sentences, the most useful first.
   *
   * @param candidates backends, the best first
   */
  static List<String> of(Host host, List<Candidate> candidates) {
    List<String> advice = new ArrayList<>();
    boolean nativeRuns =
        candidates.stream().anyMatch(one -> one.rank() >= NATIVE_RANK && one.kernels() != null);
    if (!nativeRuns) {
      advice.add(
          "No native backend can be used: the list above says why. Add the smallmind-native jar of"
              + " this platform, or build it with scripts/smallmind build.");
    }
    if (!host.vectorModule()) {
      advice.add(
          "Start the JVM with --add-modules jdk.incubator.vector: the Java fallback is several"
              + " times as fast with it.");
    }
    if (!host.nativeAccess()) {
      advice.add("Start the JVM with --enable-native-access=ALL-UNNAMED, or it prints warnings.");
    }
    if (host.hugePages().equals("never")) {
      advice.add(
          "Huge pages are off. As root: echo madvise >"
              + " /sys/kernel/mm/transparent_hugepage/enabled");
    }
    if (host.quota() < host.processors() && host.quota() != Math.floor(host.quota())) {
      advice.add(
          String.format(
              Locale.ROOT,
              "The container's CPU quota of %.2f is no whole number: grant %.0f.",
              host.quota(),
              Math.ceil(host.quota())));
    }
    if (host.quota() < 1) {
      advice.add("The container's CPU quota is below one CPU: every pass will be throttled.");
    }
    if (host.threads() < host.cores() && host.quota() >= host.cores()) {
      advice.add(
          "Only "
              + host.threads()
              + " of "
              + host.cores()
              + " cores are used: check -Dsmallmind.threads.");
    }
    return advice;
  }
}
