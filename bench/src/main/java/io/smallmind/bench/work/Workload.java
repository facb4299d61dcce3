package io.smallmind.bench.work;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Trial;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One piece of work with its data, and the ways to do it.
 *
 * @param work kind of work: gemm, gemv, or an operation
 * @param subject tensor type of the weights, or the operation's name
 * @param size for a person
 * @param shape lengths by name, in elements
 * @param operations floating-point operations of one call
 * @param bytes that one call reads and writes at least
 * @param tokens that one call computes; 0 where there are none
 * @param limit what a call is limited by, if that is measured; else it is compared to baselines
 * @param note empty, or what a person must know to read the figures
 * @param trials backends, baselines and limits
 * @param resources closed with this
 */
public record Workload(
    String work,
    String subject,
    String size,
    Map<String, Long> shape,
    double operations,
    double bytes,
    double tokens,
    Metric metric,
    @Nullable LimitKind limit,
    String note,
    List<Trial> trials,
    List<AutoCloseable> resources)
    implements AutoCloseable {
  /** The work of fresh processes that load a model. */
  public static final String FIRST_TOKEN = "first token";

  /** Frees the trials, then the data they worked on. */
  @Override
  public void close() {
    for (Trial trial : trials) {
      trial.close();
    }
    for (AutoCloseable resource : resources) {
      try {
        resource.close();
      } catch (Exception e) {
        throw new IllegalStateException("can't free the data of " + work + " " + size, e);
      }
    }
  }
}
