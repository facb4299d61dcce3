package io.smallmind.sampling;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.error.BadArgumentException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tokens by {@link SamplingOptions}. Allocates nothing per token. Not thread-safe.
 *
 * <p>Ties are broken by the lower id, so that the choice depends on the scores alone.
 */
public final class Sampler {
  private final int vocabulary;
  private final SamplingOptions options;
  private final @Nullable TokenConstraint constraint;
  private final SplittableRandom random;

  private final int[] biasTokens;
  private final float[] biases;

  private final float[] scores; // (vocabulary)
  private final int[] order; // (vocabulary): ids of candidates, the best first
  private final double[] probabilities; // (vocabulary): of candidates, in the order above
  private final int[] counts; // (vocabulary): recent occurrences
  private int[] history; // tokens so far
  private int length;

  /**
   * Creates a sampler.
   *
   * @param vocabulary number of tokens
   * @param constraint which tokens may come, or null for all
   * @throws BadArgumentException if a biased token is not in the vocabulary
   */
  public Sampler(int vocabulary, SamplingOptions options, @Nullable TokenConstraint constraint) {
    this.vocabulary = vocabulary;
    this.options = options;
    this.constraint = constraint;
    random = new SplittableRandom(options.seed());
    biasTokens = new int[options.logitBias().size()];
    biases = new float[biasTokens.length];
    int index = 0;
    for (Map.Entry<Integer, Float> bias : options.logitBias().entrySet()) {
      if (bias.getKey() >= vocabulary) {
        throw new BadArgumentException(
            "logitBias of token " + bias.getKey() + ": the vocabulary has " + vocabulary);
      }
      biasTokens[index] = bias.getKey();
      biases[index++] = bias.getValue();
    }
    scores = new float[vocabulary];
    boolean greedy = options.temperature() == 0;
    order = new int[greedy ? 0 : vocabulary];
    probabilities = new double[greedy ? 0 : vocabulary];
    counts = new int[options.penalizes() ? vocabulary : 0];
    history = new int[options.penalizes() ? 1024 : 0];
  }

  /** Tells the sampler of a token of the prompt, or of its own choice, for the penalties. */
  public void observe(int token) {
    if (!options.penalizes()) {
      return;
    }
    if (length == history.length) {
      history = Arrays.copyOf(history, 2 * length);
    }
    history[length++] = token;
    counts[token]++;
    int window = options.penaltyWindow();
    if (window > 0 && length > window) {
      counts[history[length - 1 - window]]--;
    }
  }

  /**
   * Chooses the next token. The caller passes it to {@link #accept} if it takes it.
   *
   * @param logits (vocabulary) F32
   */
  public int sample(MemorySegment logits) {
    MemorySegment.copy(logits, JAVA_FLOAT, 0, scores, 0, vocabulary);
    for (int token = 0; token < vocabulary; token++) {
      // Broken weights give anything, but only what is forbidden may be −∞, and nothing NaN.
      float score = scores[token];
      scores[token] =
          score >= -Float.MAX_VALUE ? Math.min(score, Float.MAX_VALUE) : -Float.MAX_VALUE;
    }
    for (int i = 0; i < biasTokens.length; i++) {
      scores[biasTokens[i]] += biases[i];
    }
    if (options.penalizes()) {
      penalize();
    }
    if (constraint != null) {
      constraint.mask(scores);
    }
    return options.temperature() == 0 ? best() : draw();
  }

  /** Tells whether the text is complete and no token may follow it. */
  public boolean isFinished() {
    return constraint != null && constraint.isFinished();
  }

  /** Takes a token as chosen: the constraint moves on, the penalties count it. */
  public void accept(int token) {
    observe(token);
    if (constraint != null) {
      constraint.accept(token);
    }
  }

  private void penalize() {
    int window = options.penaltyWindow();
    int begin = window < 0 ? 0 : Math.max(0, length - window);
    for (int i = begin; i < length; i++) {
      int token = history[i];
      int count = counts[token];
      if (count > 0) {
        float score = scores[token];
        score =
            score > 0 ? score / options.repetitionPenalty() : score * options.repetitionPenalty();
        scores[token] = score - count * options.frequencyPenalty() - options.presencePenalty();
        counts[token] = -count; // Marks it as done.
      }
    }
    for (int i = begin; i < length; i++) {
      counts[history[i]] = Math.abs(counts[history[i]]);
    }
  }

  private int best() {
    int best = 0;
    for (int token = 1; token < vocabulary; token++) {
      if (scores[token] > scores[best]) {
        best = token;
      }
    }
    return best;
  }

  private int draw() {
    int candidates = sort();
    if (options.filters()) {
      candidates = minP(topP(typical(candidates)));
    }
    double max = scores[order[0]];
    for (int i = 1; i < candidates; i++) {
      max = Math.max(max, scores[order[i]]);
    }
    double sum = 0;
    for (int i = 0; i < candidates; i++) {
      probabilities[i] = Math.exp((scores[order[i]] - max) / options.temperature());
      sum += probabilities[i];
    }
    double point = random.nextDouble() * sum;
    for (int i = 0; i < candidates; i++) {
      point -= probabilities[i];
      if (point < 0) {
        return order[i];
      }
    }
    return order[candidates - 1];
  }

  /**
   * Sorts the best tokens to the front of {@link #order}, as many as can be drawn, with their
   * probabilities.
   */
  private int sort() {
    int size = 0;
    for (int token = 0; token < vocabulary; token++) {
      if (scores[token] > Float.NEGATIVE_INFINITY) {
        order[size++] = token;
      }
    }
    if (size == 0) {
      // All are forbidden: nothing to draw from, but never a silent crash.
      order[0] = best();
      probabilities[0] = 1;
      return 1;
    }
    if (!options.filters()) {
      return size;
    }
    for (int parent = size / 2 - 1; parent >= 0; parent--) {
      sink(parent, size);
    }
    double max = scores[order[0]];
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += Math.exp(scores[order[i]] - max);
    }
    // The heap gives one token after the other to the end of the array, the best first.
    int wanted = options.topK() > 0 ? Math.min(options.topK(), size) : size;
    boolean byMass = options.typicalP() == 1 && options.topK() == 0;
    double mass = 0;
    int taken = 0;
    while (taken < wanted) {
      int token = order[0];
      double probability = Math.exp(scores[token] - max) / sum;
      int last = size - 1 - taken;
      order[0] = order[last];
      order[last] = token;
      sink(0, last);
      taken++;
      mass += probability;
      if (byMass && (mass >= options.topP() || probability < options.minP() / sum)) {
        break;
      }
    }
    reverse(size - taken, size);
    System.arraycopy(order, size - taken, order, 0, taken);
    double kept = 0;
    for (int i = 0; i < taken; i++) {
      probabilities[i] = Math.exp(scores[order[i]] - max);
      kept += probabilities[i];
    }
    double whole = byMass ? sum : kept;
    for (int i = 0; i < taken; i++) {
      probabilities[i] /= whole;
    }
    return taken;
  }

  private void reverse(int begin, int end) {
    for (int low = begin, high = end - 1; low < high; low++, high--) {
      int token = order[low];
      order[low] = order[high];
      order[high] = token;
    }
  }

  private void sink(int parent, int size) {
    for (; ; ) {
      int child = 2 * parent + 1;
      if (child >= size) {
        return;
      }
      if (child + 1 < size && before(order[child + 1], order[child])) {
        child++;
      }
      if (!before(order[child], order[parent])) {
        return;
      }
      int token = order[parent];
      order[parent] = order[child];
      order[child] = token;
      parent = child;
    }
  }

  private boolean before(int token, int other) {
    return scores[token] > scores[other] || scores[token] == scores[other] && token < other;
  }

  /** Keeps the tokens whose surprise is closest to the entropy, up to a sum of probabilities. */
  private int typical(int candidates) {
    if (options.typicalP() == 1) {
      return candidates;
    }
    double entropy = 0;
    for (int i = 0; i < candidates; i++) {
      if (probabilities[i] > 0) {
        entropy -= probabilities[i] * Math.log(probabilities[i]);
      }
    }
    // Surprise grows along the order, so the closest ones form a range: widen it step by step.
    int begin = 0;
    while (begin < candidates - 1 && -Math.log(probabilities[begin]) < entropy) {
      begin++;
    }
    int end = begin;
    double mass = 0;
    while (mass < options.typicalP() && (begin > 0 || end < candidates)) {
      double below =
          begin > 0 ? Math.abs(-Math.log(probabilities[begin - 1]) - entropy) : Double.MAX_VALUE;
      double above =
          end < candidates ? Math.abs(-Math.log(probabilities[end]) - entropy) : Double.MAX_VALUE;
      mass += below <= above ? probabilities[--begin] : probabilities[end++];
    }
    System.arraycopy(order, begin, order, 0, end - begin);
    System.arraycopy(probabilities, begin, probabilities, 0, end - begin);
    return end - begin;
  }

  private int topP(int candidates) {
    if (options.topP() == 1) {
      return candidates;
    }
    double all = 0;
    boolean whole = options.typicalP() == 1 && options.topK() == 0;
    for (int i = 0; i < candidates; i++) {
      all += probabilities[i];
    }
    double wanted = options.topP() * (whole ? 1 : all);
    double mass = 0;
    for (int i = 0; i < candidates; i++) {
      mass += probabilities[i];
      if (mass >= wanted) {
        return i + 1;
      }
    }
    return candidates;
  }

  private int minP(int candidates) {
    double least = options.minP() * probabilities[0];
    int kept = 1;
    while (kept < candidates && probabilities[kept] >= least) {
      kept++;
    }
    return kept;
  }
}
