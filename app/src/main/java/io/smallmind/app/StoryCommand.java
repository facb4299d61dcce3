package io.smallmind.app;

import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.ModelOptions;
import io.smallmind.Session;
import io.smallmind.SessionOptions;
import io.smallmind.embedded.EmbeddedModel;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lets the embedded model tell a story on the native backend and on a Java one. */
@Command(
    name = "story",
    description = {
      "Tells a story with the embedded model, which needs no download: once on native kernels,",
      "once in Java, side by side, each on half of the threads."
    },
    sortOptions = false)
final class StoryCommand extends AppCommand {
  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      defaultValue = "Once upon a time",
      description = "How the story begins. Default: ${DEFAULT-VALUE}.")
  private String prompt = "";

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      defaultValue = "160",
      description = "Most tokens to tell. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(
      names = {"-t", "--temperature"},
      paramLabel = "T",
      defaultValue = "0.6",
      description = "0 takes the best token each time. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(names = "--seed", paramLabel = "N", description = "The same seed, the same story.")
  private @Nullable Long seed;

  StoryCommand(Main main) {
    super(main);
  }

  @Override
  int execute() throws IOException {
    List<String> backends = backends();
    GenerationOptions options =
        GenerationOptions.builder()
            .maxTokens(maxTokens)
            .temperature(temperature)
            .seed(seed == null ? ThreadLocalRandom.current().nextLong() : seed)
            .build();
    int threads = Math.max(1, threads() == 0 ? Machine.computeThreads() / 2 : threads());
    List<Teller> tellers = new ArrayList<>();
    try {
      for (String backend : backends) {
        tellers.add(new Teller(EmbeddedModel.file(), backend, threads));
      }
      for (Teller teller : tellers) { // so that both are warm
        teller.warmUp(prompt);
      }
      tell(tellers, options);
    } finally {
      tellers.forEach(Teller::close);
    }
    note("Measure this machine: scripts/smallmind bench matmul");
    return Main.DONE;
  }

  /** Returns the backend that was asked for, or the best native and the best Java one. */
  private List<String> backends() {
    String chosen = backend();
    if (chosen != null) {
      return List.of(chosen);
    }
    List<String> names = new ArrayList<>();
    names.add(KernelRegistry.get().choose().name());
    for (Candidate candidate : KernelRegistry.get().candidates()) {
      boolean java = !candidate.name().startsWith("native");
      if (java && candidate.kernels() != null && !names.contains(candidate.name())) {
        names.add(candidate.name());
        break;
      }
    }
    return names;
  }

  private void tell(List<Teller> tellers, GenerationOptions options) {
    boolean columns = tellers.size() == 2 && console().outIsTerminal() && console().progress();
    if (!columns) {
      for (Teller teller : tellers) {
        GenerationResult result = teller.tell(prompt, options, text -> {});
        console().out().println("[" + teller.title(result) + "]");
        console().out().println(prompt + result.text());
        console().out().println();
      }
      return;
    }
    Columns page = new Columns(console(), tellers.size());
    List<FutureTask<@Nullable Void>> tasks = new ArrayList<>();
    for (int i = 0; i < tellers.size(); i++) {
      Teller teller = tellers.get(i);
      int column = i;
      page.title(column, teller.title(null));
      page.append(column, prompt);
      FutureTask<@Nullable Void> task =
          new FutureTask<>(
              () -> {
                GenerationResult result =
                    teller.tell(prompt, options, text -> page.append(column, text));
                page.title(column, teller.title(result));
              },
              null);
      tasks.add(task);
      Thread.ofPlatform().start(task);
    }
    awaitAll(tasks);
    page.end();
  }

  /** Waits for all, even if one fails: they use models that are closed afterwards. */
  static void awaitAll(List<FutureTask<@Nullable Void>> tasks) {
    boolean interrupted = false;
    Throwable failure = null;
    for (FutureTask<@Nullable Void> task : tasks) {
      while (!task.isDone()) {
        try {
          task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          // Asked for below, as of a task that was done before.
        }
      }
      if (failure == null && task.state() == Future.State.FAILED) {
        failure = task.exceptionNow();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) { // Telling throws no checked ones.
      throw exception;
    }
  }

  /** A model on one backend. */
  private static final class Teller implements AutoCloseable {
    private static final int WARM_UP_TOKENS = 200;
    private static final SessionOptions OPTIONS =
        SessionOptions.defaults().withOverflow(SessionOptions.Overflow.STOP);

    private final LanguageModel model;

    Teller(Path file, String backend, int threads) {
      ModelOptions options = ModelOptions.defaults().withBackend(backend).withThreads(threads);
      model = LanguageModel.load(file, options);
    }

    void warmUp(String prompt) {
      try (Session session = model.newSession(OPTIONS)) {
        session.generate(prompt, GenerationOptions.greedy(WARM_UP_TOKENS));
      }
    }

    GenerationResult tell(
        String prompt, GenerationOptions options, java.util.function.Consumer<String> listener) {
      try (Session session = model.newSession(OPTIONS)) {
        return session.generate(prompt, options, token -> listener.accept(token.text()));
      }
    }

    String title(@Nullable GenerationResult result) {
      String name = model.backend() + ", threads: " + model.threads();
      return result == null
          ? name
          : String.format(Locale.ROOT, "%s, %,.0f tokens/s", name, Speed.generation(result));
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
