package io.smallmind.bench.models;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.Model;
import io.smallmind.model.Scheduler;
import io.smallmind.tensor.Memory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Sessions that generate at the same time, each on a thread of its own, through the scheduler that
 * joins their tokens into common passes. A call is a row of tokens in each.
 */
final class SessionsTrial extends Trial {
  private static final int DIGITS = 3;

  private final LoadedModels models;
  private final Kernels kernels;
  private final Team team;
  private final ModelTrial.Pass pass;
  private final int[] tokens;
  private final CyclicBarrier begin;
  private final CyclicBarrier end;
  private final List<Client> clients = new ArrayList<>();
  private final Histogram tokenNanos = new Histogram(DIGITS);
  private @Nullable Scheduler scheduler;
  private boolean recording;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;

  SessionsTrial(LoadedModels models, Kernels kernels, Team team, ModelTrial.Pass pass) {
    super(kernels.name(), Role.BACKEND, team.size());
    this.models = models;
    this.kernels = kernels;
    this.team = team;
    this.pass = pass;
    tokens = Prompts.tokens(pass.tokens(), models.file().config().vocabularySize());
    begin = new CyclicBarrier(pass.sessions() + 1);
    end = new CyclicBarrier(pass.sessions() + 1);
    for (int i = 0; i < pass.sessions(); i++) {
      Client client = new Client();
      clients.add(client);
      // By this name the heap bytes of its thread are counted.
      Thread.ofPlatform().daemon().name("smallmind-bench-session-" + i).start(client);
    }
  }

  /** One session and its thread. */
  private final class Client implements Runnable {
    private final long[] nanos = new long[pass.tokens()];
    private Scheduler.@Nullable Request request;
    private @Nullable KvCache cache;
    private @Nullable Memory logits;

    void open(Model model) {
      cache = Contexts.filled(model, pass.cacheType(), pass.depth(), pass.capacity());
      request = new Scheduler.Request(cache, () -> false);
      logits = Memory.allocate(4L * model.config().vocabularySize());
    }

    @Override
    public void run() {
      while (true) {
        await(begin);
        if (closed) {
          return;
        }
        try {
          generate();
        } catch (Throwable e) {
          failure = e;
        }
        await(end);
      }
    }

    private void generate() {
      Scheduler all = scheduler;
      Scheduler.Request mine = request;
      Memory scores = logits;
      if (all == null || mine == null || scores == null) {
        throw new IllegalStateException("a session was not prepared");
      }
      all.enter();
      try {
        for (int i = 0; i < tokens.length; i++) {
          long before = System.nanoTime();
          mine.set(tokens, i, i + 1, i, scores.segment(), null);
          all.run(mine);
          nanos[i] = System.nanoTime() - before;
        }
      } finally {
        all.leave();
      }
    }

    void rewind() {
      if (cache != null) {
        cache.truncate(pass.depth());
      }
    }

    float[] scores() {
      Memory scores = logits;
      return scores == null ? new float[0] : scores.segment().toArray(JAVA_FLOAT);
    }

    void close() {
      if (cache != null && logits != null) {
        cache.close();
        logits.close();
      }
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while sessions wait for each other", e);
    } catch (BrokenBarrierException e) {
      throw new IllegalStateException("a session is gone", e);
    }
  }

  /** Its scores behind the last token must be those that it gets alone, in every session. */
  @Override
  public Verdict verify() {
    Model model = models.get(kernels, team, WeightsHeld.PACKED).model();
    scheduler = new Scheduler(model, Math.max(pass.batchRows(), pass.sessions()), pass.sessions());
    clients.forEach(client -> client.open(model));
    call();
    Verdict verdict = models.reference(team).check(model);
    float[] alone = alone(model);
    for (Client client : clients) {
      verdict = verdict.and(LogitsReference.compare(models.file(), alone, client.scores(), 1));
    }
    recording = true;
    return verdict;
  }

  private float[] alone(Model model) {
    try (KvCache cache = Contexts.filled(model, pass.cacheType(), pass.depth(), pass.capacity());
        Batch batch = model.newBatch(1, 1)) {
      for (int token : tokens) {
        batch.clear();
        batch.add(cache, token, true);
        model.forward(batch);
      }
      return batch.logits(0).toArray(JAVA_FLOAT);
    }
  }

  @Override
  public void call() {
    clients.forEach(Client::rewind);
    await(begin);
    await(end);
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw new IllegalStateException("a session failed: " + thrown, thrown);
    }
    for (int i = 0; recording && i < clients.size(); i++) {
      for (long nanos : clients.get(i).nanos) {
        tokenNanos.recordValue(nanos);
      }
    }
  }

  /** Returns how long a session waits for a token. */
  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures =
        new LinkedHashMap<>(models.get(kernels, team, WeightsHeld.PACKED).figures());
    if (tokenNanos.getTotalCount() > 0) {
      figures.put("tokenNanosMedian", (double) tokenNanos.getValueAtPercentile(50));
      figures.put("tokenNanosP95", (double) tokenNanos.getValueAtPercentile(95));
      figures.put("tokenNanosP99", (double) tokenNanos.getValueAtPercentile(99));
    }
    return figures;
  }

  @Override
  public void close() {
    closed = true;
    await(begin);
    if (scheduler != null) {
      scheduler.close();
      scheduler = null;
    }
    clients.forEach(Client::close);
  }
}
