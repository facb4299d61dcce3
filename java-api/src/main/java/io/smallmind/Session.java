package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.ClosedException;
import io.smallmind.error.ContextOverflowException;
import io.smallmind.error.UnsupportedFormatException;
import io.smallmind.model.KvCache;
import io.smallmind.model.Scheduler;
import io.smallmind.tensor.Memory;
import io.smallmind.tokenizer.ChatMessage;
import io.smallmind.tokenizer.ChatTemplate;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * One conversation with a model: what was said so far, and its keys and values. Cheap; any number
 * of sessions share a model, and generate at the same time from different threads. A session itself
 * is not thread-safe, but for {@link #cancel()} and {@link #promptProgress()}.
 *
 * <p>A new prompt that begins like the remembered text costs only its new part.
 */
public final class Session implements AutoCloseable {
  /** Most tokens that are guessed ahead. */
  static final int MAX_DRAFT = 15;

  /** How an evaluation ended. */
  enum Progress {
    /** The scores are there. */
    DONE,
    /** The context is full, and the policy is to stop. */
    FULL,
    /** It was cancelled. */
    CANCELLED
  }

  private final LanguageModel model;
  private final SessionOptions options;
  private final KvCache cache;
  private final Scheduler.Request request;
  private final int vocabulary;

  /** Tokens of the text; the cache holds the first ones. Guesses may stand behind them. */
  private int[] context = new int[256];

  private int length;
  private final PromptLookup lookup = new PromptLookup();
  private int drafts;
  private @Nullable Memory scores; // (1 + drafts, vocabulary) F32
  private MemorySegment[] scoreRows = {};
  private @Nullable Generation current;
  private volatile int promptLength = 1;
  private volatile boolean cancelled;
  private volatile @Nullable Thread generating;
  private boolean closed;

  Session(LanguageModel model, SessionOptions options, KvCache cache) {
    this.model = model;
    this.options = options;
    this.cache = cache;
    vocabulary = model.config().vocabularySize();
    request = new Scheduler.Request(cache, this::isCancelled);
  }

  /** Returns the model. */
  public LanguageModel model() {
    return model;
  }

  /** Returns the options. */
  public SessionOptions options() {
    return options;
  }

  /** Returns the number of tokens of the text so far. */
  public int length() {
    return length;
  }

  /** Returns how much of the last prompt was read, from 0 to 1. May be asked by any thread. */
  public double promptProgress() {
    return Math.min(1, (double) cache.length() / promptLength);
  }

  /** Returns the most tokens that can be remembered. */
  public int capacity() {
    return cache.capacity();
  }

  /** Returns the tokens of the text so far. */
  public int[] ids() {
    return Arrays.copyOf(context, length);
  }

  /**
   * Generates text behind a prompt, which replaces the text so far.
   *
   * @param listener hears of each token, or null
   * @throws ContextOverflowException if the context is too short, and the policy is an error
   */
  public GenerationResult generate(
      String prompt, GenerationOptions options, @Nullable TokenListener listener) {
    return generate(encode(prompt, options), options, listener);
  }

  /** Generates text behind a prompt, which replaces the text so far. */
  public GenerationResult generate(String prompt, GenerationOptions options) {
    return generate(prompt, options, null);
  }

  /**
   * Generates an answer to the last message of a conversation, in the model's chat format.
   *
   * @param messages the whole conversation; what is remembered of it is not computed again
   * @param listener hears of each token, or null
   * @throws UnsupportedFormatException if the model has no chat format
   */
  public GenerationResult chat(
      List<ChatMessage> messages, GenerationOptions options, @Nullable TokenListener listener) {
    return generate(encode(messages), options, listener);
  }

  /**
   * Returns the tokens of a conversation in the model's chat format. What messages say never
   * becomes tokens that steer the model.
   */
  public int[] encode(List<ChatMessage> messages) {
    ChatTemplate template = model.chatTemplate();
    if (template == null) {
      throw new UnsupportedFormatException(
          "this model has no chat template; write the prompt in its format yourself");
    }
    return template.encode(messages, true);
  }

  private int[] encode(String prompt, GenerationOptions options) {
    return model.tokenizer().encode(prompt, true, options.parseSpecial());
  }

  /**
   * Generates text behind a prompt, which replaces the text so far.
   *
   * @param prompt tokens
   * @param listener hears of each token, or null
   * @throws ContextOverflowException if the context is too short, and the policy is an error
   */
  public GenerationResult generate(
      int[] prompt, GenerationOptions options, @Nullable TokenListener listener) {
    try (Generation generation = start(prompt, options, listener != null)) {
      if (listener == null) {
        generation.runToEnd();
      } else {
        while (generation.hasNext()) {
          listener.onToken(generation.next());
        }
      }
      return generation.result();
    }
  }

  /** Generates text behind a prompt step by step; close it, or run it to its end. */
  public Generation start(String prompt, GenerationOptions options) {
    return start(encode(prompt, options), options, true);
  }

  /** Generates text behind a prompt step by step; close it, or run it to its end. */
  public Generation start(int[] prompt, GenerationOptions options) {
    return start(prompt, options, true);
  }

  /** Begins a generation of which only the tokens are wanted. */
  Generation startUnheard(int[] prompt, GenerationOptions options) {
    return start(prompt, options, false);
  }

  /** Generates text behind a prompt as a stream, to be closed. */
  public Stream<Token> stream(String prompt, GenerationOptions options) {
    Generation generation = start(prompt, options);
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(
                generation, Spliterator.ORDERED | Spliterator.NONNULL),
            false)
        .onClose(generation::close);
  }

  private Generation start(int[] prompt, GenerationOptions options, boolean streamed) {
    checkFree();
    int[] ids =
        prompt.length > 0 || model.tokenizer().bosId() < 0
            ? prompt.clone()
            : new int[] {model.tokenizer().bosId()};
    if (ids.length == 0) {
      throw new BadArgumentException("the prompt is empty; this model needs at least one token");
    }
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new BadArgumentException(
            "token " + id + " is not in the vocabulary of " + vocabulary);
      }
    }
    if (ids.length > cache.capacity()) {
      throw new ContextOverflowException(
          "a prompt of "
              + ids.length
              + " tokens does not fit into a context of "
              + cache.capacity()
              + "; shorten it or raise the session's contextLength");
    }
    int reused = 0;
    // The last token is computed in any case: its scores are needed.
    while (reused < Math.min(cache.length(), ids.length - 1) && context[reused] == ids[reused]) {
      reused++;
    }
    cache.truncate(reused);
    room(ids.length);
    System.arraycopy(ids, 0, context, 0, ids.length);
    length = ids.length;
    promptLength = length;
    drafts = 0;
    lookup.begin();
    cancelled = false;
    long wanted = (long) ids.length + Math.min(options.maxTokens(), 4096) + MAX_DRAFT;
    room((int) Math.min(cache.capacity(), wanted) + MAX_DRAFT + 1);
    cache.reserve((int) Math.min(cache.capacity(), wanted));
    scoreRows(1 + options.draftTokens());
    Generation generation = new Generation(this, ids, reused, options, streamed);
    model.scheduler().enter();
    current = generation;
    return generation;
  }

  /**
   * Asks a generation on another thread to end soon, also while it reads its prompt; it then
   * finishes as cancelled. Interrupting its thread does the same.
   */
  public void cancel() {
    cancelled = true;
  }

  /**
   * Forgets the end of the text.
   *
   * @param tokens how many to keep
   * @throws BadArgumentException if there are not so many
   */
  public void truncate(int tokens) {
    checkFree();
    if (tokens < 0 || tokens > length) {
      throw new BadArgumentException("can't keep " + tokens + " tokens of " + length);
    }
    length = tokens;
    cache.truncate(Math.min(tokens, cache.length()));
    cache.trim();
  }

  /** Returns an independent session with the same text. */
  public Session fork() {
    checkFree();
    Session fork = new Session(model, options, cache.copy());
    fork.context = context.clone();
    fork.length = length;
    model.adopt(fork);
    return fork;
  }

  /**
   * Writes the text with its keys and values to a file, in place of what was there.
   *
   * @throws io.smallmind.error.SmallMindException if it can't be written
   */
  public void save(Path file) {
    checkFree();
    SessionFile.save(file, model, cache, Arrays.copyOf(context, length));
  }

  /** Takes over a restored text, whose keys and values the cache holds. */
  void adopt(int[] ids) {
    context = ids;
    length = ids.length;
  }

  // ---- Called by the generation

  /** Returns the scores behind the last token, or behind its n-th confirmed guess. */
  MemorySegment scores(int row) {
    return scoreRows[row];
  }

  /** Returns how many guesses stand behind the text. */
  int drafts() {
    return drafts;
  }

  /** Tells whether a token is the next guess. */
  boolean isDraft(int id) {
    return context[length] == id;
  }

  /** Takes the next guess as part of the text: the cache holds it already. */
  void confirm() {
    lookup.confirm();
    length++;
  }

  /** Adds a token to the text; guesses behind it are forgotten. */
  void choose(int id) {
    cache.truncate(Math.min(length, cache.length()));
    drafts = 0;
    room(length + MAX_DRAFT + 2);
    context[length++] = id;
  }

  /**
   * Computes the scores behind the text, and behind guesses of what comes next.
   *
   * @param mostDrafts most guesses
   * @throws ContextOverflowException if the context is full, and the policy is an error
   */
  Progress evaluate(int mostDrafts) {
    if (length > cache.capacity()) {
      switch (options.overflow()) {
        case STOP -> {
          length--;
          return Progress.FULL;
        }
        case ERROR ->
            throw new ContextOverflowException(
                "the context of "
                    + cache.capacity()
                    + " tokens is full; raise the session's contextLength, generate fewer tokens,"
                    + " or choose the overflow policy STOP or SHIFT");
        case SHIFT -> shift();
      }
    }
    int most = Math.min(mostDrafts, cache.capacity() - length);
    drafts = most <= 0 ? 0 : lookup.guess(context, length, most);
    request.set(context, cache.length(), length + drafts, length - 1, allScores(), null);
    generating = Thread.currentThread();
    return model.scheduler().run(request) ? Progress.DONE : Progress.CANCELLED;
  }

  /** Called by whichever thread runs the pass. */
  private boolean isCancelled() {
    Thread thread = generating;
    return cancelled || thread != null && thread.isInterrupted();
  }

  /** Forgets the older half but for the first token: what stays is computed anew. */
  private void shift() {
    int kept = cache.capacity() / 2;
    System.arraycopy(context, length - kept, context, 1, kept);
    length = kept + 1;
    cache.truncate(Math.min(1, cache.length()));
  }

  /** Ends the current generation. */
  void end() {
    cache.truncate(Math.min(length, cache.length()));
    drafts = 0;
    current = null;
    generating = null;
    model.scheduler().leave();
  }

  private void room(int tokens) {
    if (context.length < tokens) {
      context = Arrays.copyOf(context, Math.max(tokens, 2 * context.length));
    }
  }

  private MemorySegment allScores() {
    Memory memory = scores;
    if (memory == null) {
      throw new IllegalStateException("no generation was started");
    }
    return memory.segment();
  }

  private void scoreRows(int rows) {
    if (scoreRows.length >= rows) {
      return;
    }
    if (scores != null) {
      scores.close();
    }
    Memory memory = Memory.allocate(4L * rows * vocabulary);
    scores = memory;
    scoreRows = new MemorySegment[rows];
    for (int row = 0; row < rows; row++) {
      scoreRows[row] = memory.segment().asSlice(4L * row * vocabulary, 4L * vocabulary);
    }
  }

  private void checkFree() {
    if (closed) {
      throw new ClosedException("this session was closed; create a new one");
    }
    if (current != null) {
      throw new BadArgumentException(
          "this session is generating; end that first, or use a session of its own");
    }
  }

  /** Frees the session's memory; a generation that runs on another thread must have ended. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (current != null) {
      current.close();
    }
    closed = true;
    cache.close();
    if (scores != null) {
      scores.close();
    }
    model.forget(this);
  }
}
