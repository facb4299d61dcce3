package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.RopePairing;
import io.smallmind.kernels.Team;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Each operation twice: its formula in double precision by finite differences, and what trains
 * against the formula, at odd shapes.
 */
class OpGradientTest {
  private static final double STEP = 1e-5;

  /** Largest relative error of gradients against finite differences. */
  private static final double FINITE_BOUND = 1e-5;

  /** Of F32 sums of up to some dozen terms, a few times 2^-24 each. */
  private static final double F32_BOUND = 2e-5;

  /** Makes the operation under test on tensors and weights that hold the inputs. */
  private interface Maker {
    Op make(Tape tape, Tensor x, List<Parameter> weights, Tensor y);
  }

  /**
   * An operation and its twin.
   *
   * @param inputs lengths of the twin's inputs: x first, then weights as (rows, columns)
   */
  private record Case(
      String name,
      DoubleOps.Twin twin,
      int rows,
      int columns,
      int outColumns,
      int[][] weights,
      Maker maker) {}

  private static final int[] TOKENS = {3, 0, 3, 4, 1, 3, 2};
  private static final int[] TARGETS = {1, 4, 0, 0, 2, 3, 4};

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    cases.add(
        new Case(
            "matmul",
            new DoubleOps.Matmul(7, 11, 5),
            7,
            5,
            11,
            new int[][] {{11, 5}, {1, 11}},
            (tape, x, w, y) -> new MatmulOp(tape, x, w.get(0), w.get(1), y)));
    cases.add(
        new Case(
            "rmsNorm",
            new DoubleOps.RmsNorm(7, 13, 1e-3),
            7,
            13,
            13,
            new int[][] {{1, 13}},
            (tape, x, w, y) -> new RmsNormOp(tape, x, w.get(0), 1e-3f, y)));
    cases.add(
        new Case(
            "layerNorm",
            new DoubleOps.LayerNorm(7, 13, 1e-3),
            7,
            13,
            13,
            new int[][] {{1, 13}, {1, 13}},
            (tape, x, w, y) -> new LayerNormOp(tape, x, w.get(0), w.get(1), 1e-3f, y)));
    cases.add(
        new Case(
            "rope",
            new DoubleOps.Rope(9, 28, 5, 4, 3, 100),
            9,
            28,
            28,
            new int[][] {},
            (tape, x, w, y) -> new RopeOp(tape, y, RopePairing.ADJACENT, 5, 4, 3, 100)));
    cases.add(attention(21, 7, 3, 3, 5));
    cases.add(attention(10, 5, 6, 2, 3));
    cases.add(attention(140, 70, 2, 1, 4)); // more than a tile
    cases.add(
        new Case(
            "gelu",
            new DoubleOps.Gelu(),
            7,
            13,
            13,
            new int[][] {},
            (tape, x, w, y) -> new GeluOp(tape, x, y)));
    cases.add(
        new Case(
            "swiGlu",
            new DoubleOps.SwiGlu(7, 9),
            7,
            18,
            9,
            new int[][] {},
            (tape, x, w, y) -> new SwiGluOp(tape, x, y)));
    cases.add(
        new Case(
            "embedding",
            new DoubleOps.Embedding(TOKENS, 4, 6),
            0,
            0,
            6,
            new int[][] {{5, 6}, {4, 6}},
            (tape, x, w, y) -> new EmbeddingOp(tape, w.get(0), w.get(1), TOKENS, 4, y)));
    return cases;
  }

  private static Case attention(int rows, int context, int heads, int kvHeads, int headDim) {
    int columns = (heads + 2 * kvHeads) * headDim;
    return new Case(
        "attention of " + heads + " heads, " + kvHeads + " of keys, " + context + " tokens",
        new DoubleOps.Attention(rows, context, heads, kvHeads, headDim),
        rows,
        columns,
        heads * headDim,
        new int[][] {},
        (tape, x, w, y) -> new AttentionOp(tape, x, context, heads, kvHeads, headDim, y));
  }

  @TestFactory
  Stream<DynamicTest> formulasAgreeWithFiniteDifferences() {
    SplittableRandom random = new SplittableRandom(1);
    Stream<DynamicTest> operations =
        cases().stream()
            .map(
                each ->
                    DynamicTest.dynamicTest(
                        each.name, () -> checkFormula(each.twin, inputs(each, random))));
    double[] factors = {0, 2, 2, 0, 2, 0, 0};
    return Stream.concat(
        operations,
        Stream.of(
            DynamicTest.dynamicTest(
                "dropout", () -> checkFormula(new DoubleOps.Dropout(factors), normal(7, random))),
            DynamicTest.dynamicTest(
                "crossEntropy",
                () -> checkFormula(new DoubleOps.CrossEntropy(TARGETS, 5), normal(35, random)))));
  }

  /** Compares the gradients of Σ r · y, for random r, with differences of that sum. */
  private static void checkFormula(DoubleOps.Twin twin, double[]... inputs) {
    SplittableRandom random = new SplittableRandom(2);
    double[] r = normal(twin.forward(inputs).length, random);
    double[][] gradients = twin.backward(r, inputs);
    for (int input = 0; input < inputs.length; input++) {
      double largest = 0;
      double error = 0;
      for (int i = 0; i < inputs[input].length; i++) {
        double before = inputs[input][i];
        inputs[input][i] = before + STEP;
        double above = dot(r, twin.forward(inputs));
        inputs[input][i] = before - STEP;
        double below = dot(r, twin.forward(inputs));
        inputs[input][i] = before;
        double expected = (above - below) / (2 * STEP);
        largest = Math.max(largest, Math.abs(expected));
        error = Math.max(error, Math.abs(expected - gradients[input][i]));
      }
      assertTrue(error < FINITE_BOUND * largest, "input " + input + ": error " + error);
    }
  }

  @TestFactory
  Stream<DynamicTest> whatTrainsAgreesWithTheFormulas() {
    return KernelRegistry.get().candidates().stream()
        .flatMap(candidate -> Stream.ofNullable(candidate.kernels()))
        .flatMap(
            kernels ->
                Stream.concat(
                    cases().stream()
                        .map(
                            each ->
                                DynamicTest.dynamicTest(
                                    kernels.name() + " " + each.name, () -> check(each, kernels))),
                    Stream.of(
                        DynamicTest.dynamicTest(
                            kernels.name() + " crossEntropy", () -> checkLoss(kernels)),
                        DynamicTest.dynamicTest(
                            kernels.name() + " dropout", () -> checkDropout(kernels)))));
  }

  private static void check(Case each, Kernels kernels) {
    double[][] inputs = inputs(each, new SplittableRandom(3));
    double[] expected = each.twin.forward(inputs);
    double[] dy = normal(expected.length, new SplittableRandom(4));
    double[][] gradients = each.twin.backward(dy, inputs);
    try (Arena arena = Arena.ofShared();
        Team team = new Team(2)) {
      Tape tape = new Tape(kernels, 2, arena, false);
      Tensor x = new Tensor(each.rows, each.columns, memory(arena, inputs[0]));
      x.gradient = tape.allocate(x.length() + 1);
      int rows = expected.length / each.outColumns;
      Tensor y = new Tensor(rows, each.outColumns, tape.allocate(expected.length));
      y.gradient = memory(arena, dy);
      int first = each.rows == 0 ? 0 : 1;
      List<Parameter> weights = new ArrayList<>();
      for (int i = 0; i < each.weights.length; i++) {
        int[] shape = each.weights[i];
        MemorySegment gradient = tape.allocate((long) shape[0] * shape[1]);
        weights.add(
            new Parameter(
                Parameter.Spec.matrix("weight " + i, shape[0], shape[1], 1),
                memory(arena, inputs[first + i]),
                gradient));
      }
      Op op = each.maker.make(tape, x, weights, y);
      if (op.input == op.output && each.rows > 0) { // in place
        y.value.copyFrom(x.value);
      }
      op.prepare();
      team.run(op::forward);
      assertNear(expected, y.value, "output");
      team.run(op::backward);
      if (each.rows > 0) {
        MemorySegment found = op.input == op.output ? y.gradient : x.gradient;
        assertNear(gradients[0], found, "gradient of the input");
      }
      for (int i = 0; i < weights.size(); i++) {
        assertNear(gradients[first + i], weights.get(i).gradient, "gradient of weight " + i);
      }
    }
  }

  private static void checkLoss(Kernels kernels) {
    DoubleOps.CrossEntropy twin = new DoubleOps.CrossEntropy(TARGETS, 5);
    double[] x = normal(35, new SplittableRandom(5));
    try (Arena arena = Arena.ofShared();
        Team team = new Team(2)) {
      Tape tape = new Tape(kernels, 2, arena, false);
      Tensor logits = new Tensor(7, 5, memory(arena, x));
      CrossEntropyOp op = new CrossEntropyOp(tape, logits, TARGETS, 1f / 7);
      team.run(op::forward);
      assertEquals(twin.forward(x)[0], op.meanLoss(), 1e-6);
      team.run(op::backward);
      assertNear(twin.backward(new double[] {1}, x)[0], logits.gradient, "gradient");
    }
  }

  private static void checkDropout(Kernels kernels) {
    int n = 40_000;
    try (Arena arena = Arena.ofShared();
        Team team = new Team(2)) {
      Tape tape = new Tape(kernels, 2, arena, false);
      double[] ones = new double[n];
      java.util.Arrays.fill(ones, 1);
      Tensor x = new Tensor(40, 1000, memory(arena, ones));
      x.gradient = tape.allocate(n);
      Tensor y = new Tensor(40, 1000, tape.allocate(n));
      y.gradient = memory(arena, ones);
      Op op = new DropoutOp(tape, 1, 0.25, x, y);
      tape.begin(7, true);
      team.run(op::forward);
      team.run(op::backward);
      float[] factors = y.value.toArray(ValueLayout.JAVA_FLOAT);
      int fallen = 0;
      for (int i = 0; i < n; i++) {
        assertTrue(factors[i] == 0 || factors[i] == 1 / 0.75f, () -> "factor");
        fallen += factors[i] == 0 ? 1 : 0;
      }
      // Four standard deviations of a binomial distribution are 346.
      assertEquals(10_000, fallen, 346);
      assertEquals(-1, y.value.mismatch(x.gradient), "the same values fall backward");
      tape.begin(8, true);
      team.run(op::forward);
      assertTrue(y.value.mismatch(x.gradient) >= 0, "another seed, another choice");
      tape.begin(8, false);
      team.run(op::forward);
      assertEquals(-1, y.value.mismatch(x.value), "nothing falls outside training");
    }
  }

  private static double[][] inputs(Case each, SplittableRandom random) {
    int first = each.rows == 0 ? 0 : 1;
    double[][] inputs = new double[first + each.weights.length][];
    if (first == 1) {
      inputs[0] = normal(each.rows * each.columns, random);
    }
    for (int i = 0; i < each.weights.length; i++) {
      inputs[first + i] = normal(each.weights[i][0] * each.weights[i][1], random);
    }
    return inputs;
  }

  /** Normally distributed values that F32 holds exactly. */
  private static double[] normal(int length, SplittableRandom random) {
    double[] values = new double[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static MemorySegment memory(Arena arena, double[] values) {
    MemorySegment memory = arena.allocate(4L * values.length + 4, 64);
    for (int i = 0; i < values.length; i++) {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) values[i]);
    }
    return memory.asSlice(0, 4L * values.length);
  }

  private static void assertNear(double[] expected, MemorySegment found, String what) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      double value = found.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      assertEquals(expected[i], value, F32_BOUND * largest, what + " at " + i);
    }
  }
}
