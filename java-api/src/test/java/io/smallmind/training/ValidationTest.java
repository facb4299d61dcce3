package io.smallmind.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.kernels.Team;
import io.smallmind.model.Architecture;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is measured does not depend on how the work is cut. */
class ValidationTest {
  @TempDir private Path folder;

  @Test
  void theLossIsTheMeanOfAllWindowsWhateverTheBatch() {
    Texts texts = new Texts(folder, 100);
    try (TokenData data = texts.data(folder);
        Team team = new Team(1)) {
      long held = (long) (data.length() * 0.1);
      long windows = (held - 1) / 16;
      assertTrue(windows % 4 != 0 && windows > 4, "windows: " + windows);
      double one = loss(texts, data, team, 1);
      for (int batch : new int[] {4, (int) windows, (int) windows + 3}) {
        assertEquals(one, loss(texts, data, team, batch), 1e-6, "batch " + batch);
      }
      Windows all = new Windows(data, data.length() - held, data.length(), 16, 1);
      assertEquals(windows, all.countInOrder());
    }
  }

  private static double loss(Texts texts, TokenData data, Team team, int batch) {
    TrainingOptions options = Texts.options().batch(batch).build();
    try (Trainer trainer = texts.trainer(Architecture.LLAMA, options, null, data, team)) {
      return trainer.evaluate();
    }
  }

  @Test
  void gradientsInATeamOfOneAreOfThatMemberOnly() {
    Texts texts = new Texts(folder, 100);
    TrainingOptions options = Texts.options().build();
    try (TokenData data = texts.data(folder);
        Team one = new Team(1);
        Team two = new Team(2);
        Trainer alone = texts.trainer(Architecture.LLAMA, options, null, data, one);
        Trainer nested = texts.trainer(Architecture.LLAMA, options, null, data, two)) {
      List<Double> norms = new ArrayList<>();
      alone.step();
      alone.step();
      nested.step();
      two.run(
          (team, member) -> {
            if (member == 0) {
              nested.step();
              norms.add(nested.gradientNorm());
            }
          });
      assertEquals(alone.gradientNorm(), norms.getFirst(), 1e-4 * alone.gradientNorm());
    }
  }
}
