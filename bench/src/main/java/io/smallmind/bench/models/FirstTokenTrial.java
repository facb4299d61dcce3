package io.smallmind.bench.models;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.bench.host.FreshProcess;
import io.smallmind.bench.host.JavaCommand;
import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Condition;
import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.Model;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A fresh JVM up to its first token; each call is a process, timed from its start. */
final class FirstTokenTrial extends Trial {
  private final LoadedModels models;
  private final Kernels kernels;
  private final Team team;
  private final WeightsHeld held;
  private final double fileBytes;
  private final int[] prompt;
  private @Nullable Answer first;
  private @Nullable Answer last;
  private final List<double[]> measured = new ArrayList<>(); // load nanoseconds, two sizes

  FirstTokenTrial(LoadedModels models, Kernels kernels, Team team, String condition) {
    super(
        Condition.of(kernels.name(), condition),
        condition.isEmpty() ? Role.BACKEND : Role.VARIANT,
        team.size());
    this.models = models;
    this.kernels = kernels;
    this.team = team;
    held = WeightsHeld.in(condition);
    fileBytes = models.file().fileBytes();
    prompt = Prompts.tokens(FirstToken.PROMPT, models.file().config().vocabularySize());
  }

  /** The first process tells how long they take, and its token is checked. */
  @Override
  public double estimateNanos() {
    if (held == WeightsHeld.KEPT) {
      models.keep(kernels, team);
    }
    first = run();
    return first.nanos;
  }

  /** The process must choose the token that this one computes, whose scores are verified. */
  @Override
  public Verdict verify() {
    try (LoadedModel loaded = new LoadedModel(models.file(), kernels, team, held)) {
      Verdict scores = models.reference(team).check(loaded.model());
      if (!scores.isRight()) {
        return scores;
      }
      Checker token = new Checker();
      token.check("the first token", first().token, best(loaded.model()), 0);
      return scores.and(token.verdict());
    }
  }

  private Answer first() {
    Answer answer = first;
    return answer == null ? run() : answer;
  }

  private int best(Model model) {
    try (KvCache cache = model.newCache(TensorType.F16, prompt.length);
        Batch batch = model.newBatch(prompt.length, 1)) {
      for (int i = 0; i < prompt.length; i++) {
        batch.add(cache, prompt[i], i == prompt.length - 1);
      }
      model.forward(batch);
      MemorySegment scores = batch.logits(0);
      int best = 0;
      for (int id = 1; id < model.config().vocabularySize(); id++) {
        if (scores.getAtIndex(JAVA_FLOAT, id) > scores.getAtIndex(JAVA_FLOAT, best)) {
          best = id;
        }
      }
      return best;
    }
  }

  @Override
  public boolean timeSlice(LongConsumer nanos) {
    Answer answer = run();
    last = answer;
    nanos.accept(answer.nanos);
    return true;
  }

  /** Not after warming up, whose figures count as little as its time. */
  @Override
  public void endRound() {
    if (last != null) {
      measured.add(last.figures);
    }
  }

  /** What a process said, and how long after its start. */
  private record Answer(int token, long nanos, double[] figures) {}

  private Answer run() {
    List<String> command =
        JavaCommand.of(
            JavaCommand.computingHere(),
            FirstTokenProbe.class,
            models.file().path().toString(),
            kernels.name(),
            Integer.toString(threads()),
            held.name(),
            Arrays.stream(prompt).mapToObj(Integer::toString).collect(Collectors.joining(",")));
    try {
      FreshProcess process = FreshProcess.run(command);
      if (process.lines().size() != 2) {
        throw new IOException("the process printed " + process.lines());
      }
      double[] figures =
          Stream.of(process.lines().getLast().split(" "))
              .mapToDouble(Double::parseDouble)
              .toArray();
      int token = Integer.parseInt(process.lines().getFirst());
      return new Answer(token, process.firstLineNanos(), figures);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Returns medians: of how long loading took, and of the memory of the whole process. */
  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    if (!measured.isEmpty()) {
      figures.put("loadSeconds", median(0) / 1e9);
      figures.put("loadGigabytesPerSecond", fileBytes / median(0));
      if (median(1) > 0) {
        figures.put("processBytes", median(1));
        figures.put("processShare", median(1) / fileBytes);
        figures.put("processBytesAfterToken", median(2));
      }
    }
    return figures;
  }

  private double median(int figure) {
    double[] values = measured.stream().mapToDouble(one -> one[figure]).sorted().toArray();
    return values[values.length / 2];
  }

  @Override
  public void call() {
    throw new IllegalStateException("a process times itself");
  }
}
