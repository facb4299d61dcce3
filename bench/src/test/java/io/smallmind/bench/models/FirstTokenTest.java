package io.smallmind.bench.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.smallmind.bench.limits.Limits;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.work.Contestants;
import io.smallmind.bench.work.Workload;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstTokenTest {
  @TempDir private Path folder;

  private ModelFile tiny() throws IOException {
    return ModelFiles.synthetic(
        folder, ModelShape.byName("tiny-llama"), QuantizationMix.byName("Q4_0"));
  }

  /** What the first process of all takes has no part in the figures, as none in the times. */
  @Test
  void warmingUpDoesNotCount() throws IOException {
    LoadedModels models = new LoadedModels(tiny(), 1);
    try (Team team = new Team(1)) {
      Trial trial =
          new FirstTokenTrial(models, KernelRegistry.get().available().getLast(), team, "");
      trial.timeSlice(nanos -> {});
      assertEquals(Map.of(), trial.figures());
      trial.timeSlice(nanos -> {});
      trial.endRound();
      assertTrue(trial.figures().get("loadSeconds") > 0);
    }
    models.release();
  }

  /** What the bench had kept it takes away, but not what was there. */
  @Test
  void keptWeightsAreThereUntilTheEnd() throws IOException {
    ModelFile file = tiny();
    Kernels kernels = KernelRegistry.get().available().getFirst();
    Path kept = Model.keptFile(file.path(), kernels);
    for (boolean before : new boolean[] {false, true}) {
      LoadedModels models = new LoadedModels(file, 1);
      try (Team team = new Team(1)) {
        Trial trial = new FirstTokenTrial(models, kernels, team, Condition.KEPT);
        trial.estimateNanos();
        assertTrue(Files.exists(kept));
        assertTrue(trial.verify().isRight());
      }
      models.release();
      assertEquals(before, Files.exists(kept));
      Files.write(kept, new byte[0]);
    }
  }

  @Test
  void everyPartOfAModelCounts() throws IOException {
    List<Path> parts =
        List.of(folder.resolve("m-00001-of-00002.gguf"), folder.resolve("m-00002-of-00002.gguf"));
    try (GgufFile whole = GgufFile.open(tiny().path())) {
      List<GgufTensor> tensors = whole.tensors();
      int half = tensors.size() / 2;
      GgufWriter first = new GgufWriter().putAll(whole.metadata());
      first.put("split.tensors.count", tensors.size()).put("split.no", 0).put("split.count", 2);
      tensors.subList(0, half).forEach(tensor -> first.tensor(whole, tensor));
      first.write(parts.getFirst());
      GgufWriter second = new GgufWriter().put("split.no", 1).put("split.count", 2);
      tensors.subList(half, tensors.size()).forEach(tensor -> second.tensor(whole, tensor));
      second.write(parts.getLast());
    }
    long bytes = Files.size(parts.getFirst()) + Files.size(parts.getLast());
    ModelFile file = ModelFile.of(parts.getFirst(), "m", "");
    assertEquals(bytes, file.fileBytes());
    Contestants nobody = new Contestants(List.of(), List.of(), Limits.none());
    try (Workload work = FirstToken.workload(nobody, file, List.of())) {
      assertEquals(bytes, work.bytes());
    }
  }

  /** Measured are weights that are mapped from the file, not those that were written into it. */
  @Test
  void keptWeightsAreMapped() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    assumeTrue(Files.exists(maps), "no " + maps + " to look at");
    LoadedModels models = new LoadedModels(tiny(), 1);
    Kernels kernels = KernelRegistry.get().available().getFirst();
    String kept = String.valueOf(Model.keptFile(models.file().path(), kernels).getFileName());
    try (Team team = new Team(1)) {
      models.get(kernels, team, WeightsHeld.KEPT);
      assertTrue(Files.readString(maps).contains(kept));
      models.release();
    }
  }

  @Test
  void whoPacksNothingKeepsNothing() {
    List<Kernels> available = KernelRegistry.get().available();
    assertTrue(WeightsHeld.KEPT.isPossible(available.getFirst()));
    assertFalse(WeightsHeld.KEPT.isPossible(available.getLast()));
    assertTrue(WeightsHeld.MAPPED.isPossible(available.getLast()));
  }

  @Test
  void everyTeamTakesPart() throws IOException {
    ModelFile file = tiny();
    Kernels kernels = KernelRegistry.get().available().getFirst();
    try (Team one = new Team(1);
        Team another = new Team(1);
        Workload work =
            FirstToken.workload(
                new Contestants(List.of(kernels), List.of(one, another), Limits.none()),
                file,
                List.of())) {
      String name = kernels.name();
      assertEquals(
          List.of(name, name + " kept", name + " mapped", name, name + " kept", name + " mapped"),
          work.trials().stream().map(Trial::variant).toList());
    }
  }
}
