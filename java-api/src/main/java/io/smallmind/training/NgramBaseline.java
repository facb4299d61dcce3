package io.smallmind.training;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What counting alone achieves: a trigram model with interpolated Kneser-Ney smoothing (Chen and
 * Goodman 1998), trained and evaluated on the same tokens as a network. A network that learned more
 * than which words follow each other has a smaller loss.
 */
public final class NgramBaseline {
  private static final double DISCOUNT = 0.75;

  /** How often something occurred, and behind or before how many different tokens. */
  private static final class Count {
    long occurrences;
    long followers;
  }

  private final int vocabulary;
  private final Map<Long, Long> trigrams = new HashMap<>();
  private final Map<Long, Count> bigramContexts = new HashMap<>();
  private final Map<Long, Long> bigramPredecessors = new HashMap<>();
  private final Map<Long, Count> unigramContexts = new HashMap<>();
  private final Map<Long, Long> unigramPredecessors = new HashMap<>();

  private NgramBaseline(int vocabulary) {
    this.vocabulary = vocabulary;
  }

  /**
   * Returns the mean of −ln p over the tokens at the text's end that a training with this share for
   * validation leaves out.
   *
   * @param vocabulary number of tokens, at most 2^20
   */
  public static double loss(TokenData data, double validation, int vocabulary) {
    NgramBaseline baseline = new NgramBaseline(vocabulary);
    long end = data.length() - (long) (data.length() * validation);
    for (long i = 2; i < end; i++) {
      baseline.count(data.token(i - 2), data.token(i - 1), data.token(i));
    }
    double sum = 0;
    for (long i = end + 2; i < data.length(); i++) {
      sum -= Math.log(baseline.probability(data.token(i - 2), data.token(i - 1), data.token(i)));
    }
    return sum / (data.length() - end - 2);
  }

  private static long key(int... ids) {
    long key = 0;
    for (int id : ids) {
      key = key << 21 | id;
    }
    return key;
  }

  private void count(int a, int b, int c) {
    Count pair = bigramContexts.computeIfAbsent(key(a, b), each -> new Count());
    pair.occurrences++;
    if (trigrams.merge(key(a, b, c), 1L, Long::sum) > 1) {
      return;
    }
    pair.followers++;
    // Lower orders count different contexts rather than occurrences.
    Count one = unigramContexts.computeIfAbsent((long) b, each -> new Count());
    one.occurrences++;
    if (bigramPredecessors.merge(key(b, c), 1L, Long::sum) > 1) {
      return;
    }
    one.followers++;
    unigramPredecessors.merge((long) c, 1L, Long::sum);
  }

  private double probability(int a, int b, int c) {
    double base = 1.0 / vocabulary;
    double kinds = bigramPredecessors.size();
    double lowest =
        discounted(unigramPredecessors.getOrDefault((long) c, 0L), kinds)
            + DISCOUNT * unigramPredecessors.size() / kinds * base;
    double middle =
        interpolated(
            unigramContexts.get((long) b), bigramPredecessors.getOrDefault(key(b, c), 0L), lowest);
    return interpolated(
        bigramContexts.get(key(a, b)), trigrams.getOrDefault(key(a, b, c), 0L), middle);
  }

  private static double discounted(long count, double total) {
    return Math.max(0, count - DISCOUNT) / total;
  }

  private static double interpolated(@Nullable Count context, long count, double lower) {
    if (context == null) {
      return lower;
    }
    double weight = DISCOUNT * context.followers / context.occurrences;
    return discounted(count, context.occurrences) + weight * lower;
  }
}
