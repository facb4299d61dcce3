package io.smallmind;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.ContextOverflowException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufTensor;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.model.KvCache;
import io.smallmind.model.LoadOptions;
import io.smallmind.model.LoraAdapter;
import io.smallmind.model.Model;
import io.smallmind.model.ModelConfig;
import io.smallmind.model.Scheduler;
import io.smallmind.tensor.Memory;
import io.smallmind.tokenizer.ChatTemplate;
import io.smallmind.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A language model, ready to generate text. Thread-safe; sessions hold what was said.
 *
 * <pre>{@code
 * try (var model = LanguageModel.load(Path.of("model.gguf"));
 *     var session = model.newSession()) {
 *   session.generate("Once upon a time", GenerationOptions.defaults(),
 *       token -> System.out.print(token.text()));
 * }
 * }</pre>
 */
public final class LanguageModel implements AutoCloseable {
  /** Rows per pass whose scores may be wanted: all guesses of a session, or many sessions. */
  private static final int MAX_OUTPUTS = 32;

  private final GgufFile file;
  private final Model model;
  private final Tokenizer tokenizer;
  private final @Nullable ChatTemplate chatTemplate;
  private final Scheduler scheduler;
  private final @Nullable Team ownTeam;
  private final String adapter;
  private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private LanguageModel(
      GgufFile file,
      Model model,
      Tokenizer tokenizer,
      @Nullable ChatTemplate chatTemplate,
      Scheduler scheduler,
      @Nullable Team ownTeam,
      String adapter) {
    this.adapter = adapter;
    this.file = file;
    this.model = model;
    this.tokenizer = tokenizer;
    this.chatTemplate = chatTemplate;
    this.scheduler = scheduler;
    this.ownTeam = ownTeam;
  }

  /**
   * Loads a model with the usual options.
   *
   * @param gguf path of a GGUF file
   * @throws io.smallmind.error.BadModelFileException if the file is no consistent model
   * @throws io.smallmind.error.UnsupportedFormatException if its architecture, tokenizer or a
   *     tensor type is unknown
   * @throws io.smallmind.error.OutOfMemoryException if it does not fit into memory
   */
  public static LanguageModel load(Path gguf) {
    return load(gguf, ModelOptions.defaults());
  }

  /**
   * Loads a model.
   *
   * @param gguf path of a GGUF file
   * @throws io.smallmind.error.BadModelFileException if the file is no consistent model
   * @throws io.smallmind.error.UnsupportedFormatException if its architecture, tokenizer or a
   *     tensor type is unknown
   * @throws io.smallmind.error.BackendException if the backend can't be had
   * @throws io.smallmind.error.OutOfMemoryException if it does not fit into memory
   * @throws io.smallmind.error.FileWriteException if packed weights shall be kept, and can't be
   */
  public static LanguageModel load(Path gguf, ModelOptions options) {
    KernelRegistry registry = KernelRegistry.get();
    String backend = options.backend();
    Kernels kernels = backend == null ? registry.choose() : registry.byName(backend);
    Team ownTeam = options.threads() == 0 ? null : new Team(options.threads());
    GgufFile file = null;
    LoadOptions load = LoadOptions.defaults();
    Model model = null;
    try {
      file = GgufFile.open(gguf);
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      Team team = ownTeam == null ? Team.shared() : ownTeam;
      load = loadOptions(options, file);
      model = Model.load(file, kernels, team, load);
      long total = totalBytes(file);
      options.progress().progress(total, total, ""); // Not all that the file holds is packed.
      ChatTemplate chatTemplate = ChatTemplate.of(file.metadata(), tokenizer);
      Scheduler scheduler = new Scheduler(model, options.batchRows(), MAX_OUTPUTS);
      return new LanguageModel(
          file, model, tokenizer, chatTemplate, scheduler, ownTeam, describe(load.adapter()));
    } catch (Throwable e) {
      if (model != null) {
        model.close();
      }
      if (file != null) {
        file.close();
      }
      if (ownTeam != null) {
        ownTeam.close();
      }
      throw e;
    } finally {
      if (load.adapter() != null) {
        load.adapter().close(); // The model holds it.
      }
    }
  }

  private static long totalBytes(GgufFile file) {
    return file.tensors().stream().mapToLong(GgufTensor::bytes).sum();
  }

  private static String describe(@Nullable LoraAdapter adapter) {
    return adapter == null ? "" : adapter.strength() + " " + adapter.checksum();
  }

  /** Returns what tells this model's adapter from others; empty if there is none. */
  String adapter() {
    return adapter;
  }

  private static LoadOptions loadOptions(ModelOptions options, GgufFile file) {
    long total = totalBytes(file);
    Path adapter = options.adapter();
    return new LoadOptions(
        options.pack(),
        options.keepPacked(),
        (name, done) -> options.progress().progress(done, total, name),
        adapter == null ? null : LoraAdapter.open(adapter, options.adapterStrength(), file));
  }

  /** Returns the path of the file. */
  public Path path() {
    return file.path();
  }

  /** Returns the file's entries and tensors. */
  public GgufFile file() {
    return file;
  }

  /** Returns sizes and choices of the model. */
  public ModelConfig config() {
    return model.config();
  }

  /** Returns the name of the backend that runs it. */
  public String backend() {
    return model.kernels().name();
  }

  /** Returns the number of threads that run it. */
  public int threads() {
    return model.team().size();
  }

  /** Returns the tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Returns the chat format, or null if the model has none. */
  public @Nullable ChatTemplate chatTemplate() {
    return chatTemplate;
  }

  /** Returns a new session with the usual options; close it when it is no longer needed. */
  public Session newSession() {
    return newSession(SessionOptions.defaults());
  }

  /**
   * Returns a new session; close it when it is no longer needed.
   *
   * @throws BadArgumentException if the options don't fit the model
   */
  public Session newSession(SessionOptions options) {
    checkOpen();
    Session session = new Session(this, options, newCache(options));
    adopt(session);
    return session;
  }

  /**
   * Returns a session that goes on where another one was saved.
   *
   * @throws io.smallmind.error.BadModelFileException if the file is damaged, or of another model
   */
  public Session restoreSession(Path saved, SessionOptions options) {
    checkOpen();
    KvCache cache = newCache(options);
    try {
      int[] ids = SessionFile.restore(saved, this, cache);
      Session session = new Session(this, options, cache);
      session.adopt(ids);
      adopt(session);
      return session;
    } catch (Throwable e) {
      cache.close();
      throw e;
    }
  }

  private KvCache newCache(SessionOptions options) {
    int context = options.contextLength();
    if (context == 0) {
      context = Math.min(config().contextLength(), SessionOptions.DEFAULT_CONTEXT);
    }
    return model.newCache(options.cacheType(), context);
  }

  /**
   * Returns a vector for a text, of length 1: texts of similar meaning have vectors of similar
   * direction, as far as the model was made for it.
   *
   * @param text not empty
   * @return (embeddingLength)
   * @throws ContextOverflowException if the text is longer than the model's context
   */
  public float[] embed(String text, Pooling pooling) {
    int[] ids = tokenizer.encode(text, true, false);
    if (ids.length == 0) {
      throw new BadArgumentException("the text is empty; there is nothing to embed");
    }
    int length = config().embeddingLength();
    boolean all = pooling == Pooling.MEAN;
    int used = pooling == Pooling.CLS ? 1 : ids.length;
    int outputs = all ? used : 1;
    try (KvCache cache = newCache(SessionOptions.defaults().withContextLength(used));
        Memory vectors = Memory.allocate(4L * outputs * length)) {
      compute(cache, ids, used, used - outputs, null, vectors);
      double[] sum = new double[length];
      for (int i = 0; i < outputs * length; i++) {
        sum[i % length] += vectors.segment().getAtIndex(JAVA_FLOAT, i);
      }
      double squares = 0;
      for (double value : sum) {
        squares += value * value;
      }
      float[] vector = new float[length];
      for (int i = 0; i < length; i++) {
        vector[i] = (float) (squares == 0 ? 0 : sum[i] / Math.sqrt(squares));
      }
      return vector;
    }
  }

  /**
   * Returns how surprising tokens are behind each other.
   *
   * @param ids at least two tokens, which fit into the model's context
   * @return the sum of −ln p of each token but the first, given those before it
   */
  public double negativeLogLikelihood(int[] ids) {
    if (ids.length < 2) {
      throw new BadArgumentException("at least two tokens are needed, not " + ids.length);
    }
    int vocabulary = config().vocabularySize();
    double sum = 0;
    try (KvCache cache = newCache(SessionOptions.defaults().withContextLength(ids.length));
        Memory scores = Memory.allocate(4L * MAX_OUTPUTS * vocabulary)) {
      for (int begin = 0; begin < ids.length - 1; begin += MAX_OUTPUTS) {
        int end = Math.min(ids.length - 1, begin + MAX_OUTPUTS);
        compute(cache, ids, end, begin, scores, null);
        for (int i = begin; i < end; i++) {
          sum -= logProbability(scores, i - begin, ids[i + 1]);
        }
      }
    }
    return sum;
  }

  private double logProbability(Memory scores, int row, int id) {
    int vocabulary = config().vocabularySize();
    long first = (long) row * vocabulary;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      max = Math.max(max, scores.segment().getAtIndex(JAVA_FLOAT, first + i));
    }
    double sum = 0;
    for (int i = 0; i < vocabulary; i++) {
      sum += Math.exp(scores.segment().getAtIndex(JAVA_FLOAT, first + i) - max);
    }
    return scores.segment().getAtIndex(JAVA_FLOAT, first + id) - max - Math.log(sum);
  }

  /** Computes tokens behind those that a cache holds, up to end. */
  private void compute(
      KvCache cache,
      int[] ids,
      int end,
      int firstOutput,
      @Nullable Memory scores,
      @Nullable Memory vectors) {
    Thread caller = Thread.currentThread();
    Scheduler.Request request = new Scheduler.Request(cache, caller::isInterrupted);
    request.set(
        ids,
        cache.length(),
        end,
        firstOutput,
        scores == null ? null : scores.segment(),
        vectors == null ? null : vectors.segment());
    scheduler.enter();
    try {
      if (!scheduler.run(request)) {
        throw new BadArgumentException("the thread was interrupted; nothing was computed");
      }
    } finally {
      scheduler.leave();
    }
  }

  Scheduler scheduler() {
    return scheduler;
  }

  void adopt(Session session) {
    sessions.add(session);
  }

  void forget(Session session) {
    sessions.remove(session);
  }

  private void checkOpen() {
    if (closed) {
      throw new ClosedException("this model was closed; load it anew");
    }
  }

  /** Closes all sessions, none of which may be generating, and frees the weights. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    sessions.forEach(Session::close);
    scheduler.close();
    model.close();
    file.close();
    if (ownTeam != null) {
      ownTeam.close();
    }
  }
}
