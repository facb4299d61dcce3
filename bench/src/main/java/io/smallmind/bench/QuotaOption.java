package io.smallmind.bench;

import io.smallmind.bench.host.CpuGroup;
import io.smallmind.kernels.Machine;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that has all take part under a container's quota too. */
final class QuotaOption {
  private static final double LEAST = 0.1;

  @Option(
      names = "--quota",
      paramLabel = "CPUS",
      description =
          "Have each take part once more in a control group that grants so many processors' time,"
              + " such as 1.5; slices are of a second then, and means count. Linux, as root.")
  @Nullable Double quota;

  /**
   * Returns the processors whose time is granted; null for no quota.
   *
   * <p>Refuses what can't be had before hours are spent on what comes first.
   */
  @Nullable Double processors(RunOptions options) {
    Double granted = quota;
    if (granted == null) {
      return null;
    }
    int all = Machine.availableProcessors();
    if (!(granted >= LEAST && granted < all)) {
      throw options.usage(
          "--quota: choose " + LEAST + " to less than " + all + ", the processors, not " + granted);
    }
    try (CpuGroup group = CpuGroup.create(granted)) {
      group.enter();
      group.leave();
    } catch (IOException e) {
      throw options.usage("--quota: " + e.getMessage());
    }
    return granted;
  }
}
