package io.smallmind.bench.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Workload;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstTokenTest {
  @TempDir private Path folder;

  @Test
  void everyTeamTakesPart() throws IOException {
    ModelFile file =
        ModelFiles.synthetic(
            folder, ModelShape.byName("tiny-llama"), QuantizationMix.byName("Q4_0"));
    Kernels kernels = KernelRegistry.get().available().getLast();
    try (Team one = new Team(1);
        Team another = new Team(1);
        Workload work =
            FirstToken.workload(
                new Contestants(List.of(kernels), List.of(one, another), Limits.none()),
                file,
                List.of())) {
      String name = kernels.name();
      assertEquals(
          List.of(name, name + " mapped", name, name + " mapped"),
          work.trials().stream().map(Trial::variant).toList());
    }
  }
}
