package io.smallmind.bench.models;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.bench.limits.LimitKind;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.LoadOptions;
import io.smallmind.model.Model;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/** The scores behind a short text, as the scalar backend computes them. */
final class LogitsReference {
  /** Some tokens at once, then one by itself: both ways through a model. */
  private static final int PROMPT = 2;

  /**
   * Activations have 8 bits: a rounding error of 1 ÷ (127 · √12) of the largest value in a block,
   * which is about three times its root mean square.
   */
  private static final double QUANTIZATION_NOISE = 3 / (127 * Math.sqrt(12));

  /** Activations that meet BF16 weights keep 8 bits of theirs. */
  private static final double BF16_NOISE = 0x1p-9 / Math.sqrt(3);

  /** Sums of some thousand F32 products, in another order. */
  private static final double ROUNDING_NOISE = 1e-4;

  private final ModelFile file;
  private final float[] expected; // (outputs, vocabulary)

  private LogitsReference(ModelFile file, float[] expected) {
    this.file = file;
    this.expected = expected;
  }

  static LogitsReference compute(ModelFile file, Team team) {
    Kernels scalar = KernelRegistry.get().byName("scalar");
    try (GgufFile gguf = GgufFile.open(file.path());
        Model model = Model.load(gguf, scalar, team, LoadOptions.defaults().withPack(false))) {
      return new LogitsReference(file, run(model));
    }
  }

  private static float[] run(Model model) {
    int vocabulary = model.config().vocabularySize();
    float[] all = new float[2 * vocabulary];
    try (KvCache cache = model.newCache(TensorType.F16, PROMPT + 1);
        Batch batch = model.newBatch(PROMPT, 1)) {
      for (int position = 0; position < PROMPT; position++) {
        int id = Prompts.token(position, vocabulary);
        batch.add(cache, id, position == PROMPT - 1);
      }
      model.forward(batch);
      MemorySegment.copy(batch.logits(0), JAVA_FLOAT, 0, all, 0, vocabulary);
      batch.clear();
      batch.add(cache, Prompts.token(PROMPT, vocabulary), true);
      model.forward(batch);
      MemorySegment.copy(batch.logits(0), JAVA_FLOAT, 0, all, vocabulary, vocabulary);
    }
    return all;
  }

  /** Returns the text whose scores {@link #checkRival} compares. */
  int[] prompt() {
    return Prompts.tokens(PROMPT, file.config().vocabularySize());
  }

  /**
   * Compares the scores of another engine for the first tokens of the vocabulary. It rounds
   * activations in its own way: both errors of rounding count, and twice, as these are few scores.
   */
  Verdict checkRival(float[] scores) {
    return scores.length == 0 ? Verdict.NOTHING_TO_CHECK : check(scores, 2 * Math.sqrt(2));
  }

  /**
   * Compares a model's scores with these. Backends differ by the rounding of sums only, but that
   * can flip the rounding of activations: so they must differ by less than that rounding itself
   * brings about, which adds up over the products one after another.
   */
  Verdict check(Model model) {
    return check(run(model), 1);
  }

  private Verdict check(float[] actual, double factor) {
    return compare(file, expected, actual, factor);
  }

  /** Compares scores with expected ones: see {@link #check(Model)}. */
  static Verdict compare(ModelFile file, float[] expected, float[] actual, double factor) {
    double noise =
        file.limit() == LimitKind.INT8_DOT
            ? QUANTIZATION_NOISE
            : file.main() == TensorType.BF16 ? BF16_NOISE : ROUNDING_NOISE;
    double tolerance = factor * noise * Math.sqrt(4.0 * file.config().layers() + 1);
    double error = 0;
    double size = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = (double) actual[i] - expected[i];
      error += difference * difference;
      size += (double) expected[i] * expected[i];
    }
    double relative = Math.sqrt(error / size);
    if (relative <= tolerance) {
      return new Verdict(actual.length, relative / tolerance, "");
    }
    return new Verdict(
        actual.length,
        Double.isNaN(relative) ? Double.MAX_VALUE : relative / tolerance,
        String.format(
            Locale.ROOT,
            "scores differ from the scalar backend's by %.2g of their size; %.2g is right",
            relative,
            tolerance));
  }
}
