package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole networks: gradients by finite differences, and training against another implementation. */
class NetworkGradientTest {
  private static final int WINDOWS = 2;
  private static final int CONTEXT = 9;

  private static NetworkConfig config(Architecture architecture) {
    boolean gpt2 = architecture == Architecture.GPT2;
    return new NetworkConfig(
        architecture,
        23,
        16,
        12,
        2,
        gpt2 ? 3 : 4,
        gpt2 ? 3 : 2,
        gpt2 ? 4 : 6,
        20,
        1000,
        1e-5f,
        gpt2);
  }

  /** Fills a network's weights, and those of its twin, with values of a useful size. */
  private static void fill(Network network, DoubleNetwork twin, double scale) {
    SplittableRandom random = new SplittableRandom(11);
    for (Parameter parameter : network.parameters.all()) {
      double[] values = new double[Math.toIntExact(parameter.spec.length())];
      for (int i = 0; i < values.length; i++) {
        float value = (float) (parameter.spec.mean() + scale * random.nextGaussian());
        parameter.value.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        values[i] = value;
      }
      twin.weights.put(parameter.name(), values);
    }
  }

  private static void fillBatch(Network network, SplittableRandom random) {
    for (int i = 0; i < network.tokens.length; i++) {
      network.tokens[i] = random.nextInt(network.config.vocabulary());
      network.targets[i] = random.nextInt(network.config.vocabulary());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void gradientsAgreeWithFiniteDifferences(Architecture architecture) {
    try (Arena arena = Arena.ofShared()) {
      Network network = network(architecture, arena, 1, false);
      DoubleNetwork twin = new DoubleNetwork(network.config, WINDOWS, CONTEXT);
      fill(network, twin, 0.3);
      fillBatch(network, new SplittableRandom(12));
      twin.loss(network.tokens, network.targets);
      Map<String, double[]> gradients = twin.gradients();
      SplittableRandom random = new SplittableRandom(13);
      twin.weights.forEach(
          (name, values) -> {
            double largest = 0;
            double error = 0;
            for (int probe = 0; probe < Math.min(8, values.length); probe++) {
              int i = random.nextInt(values.length);
              double before = values[i];
              values[i] = before + 1e-5;
              double above = twin.loss(network.tokens, network.targets);
              values[i] = before - 1e-5;
              double below = twin.loss(network.tokens, network.targets);
              values[i] = before;
              double expected = (above - below) / 2e-5;
              largest = Math.max(largest, Math.abs(expected));
              error = Math.max(error, Math.abs(expected - gradients.get(name)[i]));
            }
            assertTrue(error <= 1e-5 * largest, name + ": " + error + " of " + largest);
          });
    }
  }

  private static Network network(
      Architecture architecture, Arena arena, int members, boolean recomputes) {
    return new Network(
        config(architecture),
        KernelRegistry.get().choose(),
        members,
        arena,
        WINDOWS,
        CONTEXT,
        0,
        recomputes,
        1,
        null);
  }

  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void whatTrainsHasTheseGradients(Architecture architecture) {
    for (boolean recomputes : new boolean[] {false, true}) {
      try (Arena arena = Arena.ofShared();
          Team team = new Team(2)) {
        Network network = network(architecture, arena, 2, recomputes);
        DoubleNetwork twin = new DoubleNetwork(network.config, WINDOWS, CONTEXT);
        fill(network, twin, 0.3);
        fillBatch(network, new SplittableRandom(12));
        double expected = twin.loss(network.tokens, network.targets);
        Map<String, double[]> gradients = twin.gradients();
        for (int pass = 1; pass <= 2; pass++) { // The second adds to the first.
          team.run(network::forward);
          assertEquals(expected, network.meanLoss(), 1e-5 * expected);
          team.run(network::backward);
          for (Parameter parameter : network.parameters.all()) {
            assertNear(gradients.get(parameter.name()), parameter, pass);
          }
        }
      }
    }
  }

  private static void assertNear(double[] expected, Parameter parameter, int times) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(times * value));
    }
    for (int i = 0; i < expected.length; i++) {
      double found = parameter.gradient.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      assertEquals(times * expected[i], found, 1e-4 * largest, parameter.name() + " at " + i);
    }
  }

  /**
   * The same configuration, data and first weights in double precision: the same curve. One member
   * computes it: that more of them give the same gradients is tested above.
   */
  @ParameterizedTest
  @EnumSource(names = {"LLAMA", "GPT2"})
  void trainingFollowsAnotherImplementation(Architecture architecture) {
    try (Arena arena = Arena.ofShared();
        Team team = new Team(1)) {
      Network network = network(architecture, arena, 1, false);
      DoubleNetwork twin = new DoubleNetwork(network.config, WINDOWS, CONTEXT);
      fill(network, twin, 0.05);
      AdamW adam =
          new AdamW(KernelRegistry.get().choose(), 1, network.parameters, 0.9, 0.95, 1e-8, 0.1, 1);
      SplittableRandom random = new SplittableRandom(14);
      double first = 0;
      double last = 0;
      for (int step = 1; step <= 200; step++) {
        fillBatch(network, random);
        for (int i = 0; i < network.tokens.length; i++) { // something to learn
          network.targets[i] = (5 * network.tokens[i] + i % CONTEXT) % 23;
        }
        double expected = twin.loss(network.tokens, network.targets);
        twin.step(step, 3e-3, 0.1, 1);
        int now = step;
        team.run(
            (all, member) -> {
              network.forward(all, member);
              network.backward(all, member);
              adam.step(all, member, now, 3e-3);
            });
        assertEquals(expected, network.meanLoss(), 1e-3, "step " + step);
        first = step == 1 ? expected : first;
        last = expected;
      }
      assertTrue(last < first - 0.5, "from " + first + " to " + last);
    }
  }

  /** The most members that a test machine has for sure, and one more pass, give the same bits. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void theSameRunGivesTheSameBits(int members) {
    double[] losses = new double[2];
    for (int run = 0; run < 2; run++) {
      try (Arena arena = Arena.ofShared();
          Team team = new Team(members)) {
        Network network = network(Architecture.LLAMA, arena, members, false);
        network.parameters.initialize(3);
        AdamW adam =
            new AdamW(
                KernelRegistry.get().choose(), members, network.parameters, 0.9, 0.95, 1e-8, 0, 1);
        SplittableRandom random = new SplittableRandom(15);
        for (int step = 1; step <= 20; step++) {
          fillBatch(network, random);
          int now = step;
          team.run(
              (all, member) -> {
                network.forward(all, member);
                network.backward(all, member);
                adam.step(all, member, now, 1e-2);
              });
        }
        losses[run] = network.meanLoss();
      }
    }
    assertEquals(losses[0], losses[1]);
  }

  @Test
  void initialLossIsThatOfGuessing() {
    try (Arena arena = Arena.ofShared();
        Team team = new Team(1)) {
      Network network = network(Architecture.GPT2, arena, 1, false);
      network.parameters.initialize(3);
      fillBatch(network, new SplittableRandom(16));
      team.run(network::forward);
      assertEquals(Math.log(23), network.meanLoss(), 0.05);
    }
  }
}
