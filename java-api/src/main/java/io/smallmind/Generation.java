package io.smallmind;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.GenerationResult.Alternative;
import io.smallmind.GenerationResult.LogProbabilities;
import io.smallmind.sampling.Constraint;
import io.smallmind.sampling.Sampler;
import io.smallmind.tokenizer.StreamingDecoder;
import io.smallmind.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A text on its way: each step gives one token. Not thread-safe; the session serves nothing else
 * until this has ended or was closed.
 */
public final class Generation implements Iterator<Token>, AutoCloseable {
  private final Session session;
  private final Tokenizer tokenizer;
  private final GenerationOptions options;
  private final Sampler sampler;
  private final StopMatcher stops;
  private final @Nullable StreamingDecoder decoder;
  private final StringBuilder text = new StringBuilder();
  private final int[] promptIds;
  private final int reused;
  private final List<LogProbabilities> logProbabilities = new ArrayList<>();

  private final long begun = System.nanoTime();
  private final GenerationRecorder recorder = GenerationRecorder.begin();
  private long prefilled;
  private long ended;
  private int[] ids;
  private int count;
  private int drafted;
  private int accepted;

  /** Row of the session's scores that belongs to the last token, and drafts behind that row. */
  private int row;

  private int draftsLeft;
  private boolean evaluated;
  private @Nullable FinishReason reason;
  private @Nullable Token ahead;
  private boolean flushed;

  /**
   * Begins a generation.
   *
   * @param reused tokens of the prompt that the session remembers
   * @param streamed whether each step's text is wanted, and not the whole text at the end only
   */
  Generation(
      Session session, int[] promptIds, int reused, GenerationOptions options, boolean streamed) {
    this.session = session;
    this.promptIds = promptIds;
    this.reused = reused;
    this.options = options;
    tokenizer = session.model().tokenizer();
    ids = new int[Math.clamp(options.maxTokens(), 1, 4096)];
    stops = new StopMatcher(options.stops());
    decoder = streamed || !options.stops().isEmpty() ? tokenizer.newDecoder() : null;
    Constraint constraint = options.constraint();
    sampler =
        new Sampler(
            session.model().config().vocabularySize(),
            options.sampling(),
            constraint == null ? null : constraint.begin(tokenizer));
    for (int id : promptIds) {
      sampler.observe(id);
    }
  }

  /** Tells whether another token comes; computes it if so. */
  @Override
  public boolean hasNext() {
    if (ahead == null) {
      ahead = advance();
    }
    return ahead != null;
  }

  /** Returns the next token. */
  @Override
  public Token next() {
    if (!hasNext()) {
      throw new NoSuchElementException("this generation has ended");
    }
    Token token = ahead;
    ahead = null;
    if (token == null) {
      throw new NoSuchElementException("this generation has ended");
    }
    return token;
  }

  /** Computes one token; returns null at the end. */
  private @Nullable Token advance() {
    if (!step()) {
      String rest = flush();
      if (rest.isEmpty()) {
        return null;
      }
      return new Token(-1, rest);
    }
    int id = ids[count - 1];
    String piece = "";
    if (decoder != null) {
      piece = stops.accept(decoder.accept(id));
      text.append(piece);
      if (stops.isStopped()) {
        finish(FinishReason.STOP);
      }
    }
    return new Token(id, piece);
  }

  /** Runs to the end without making text or objects for each token, where nobody wants them. */
  void runToEnd() {
    if (decoder == null) {
      while (step()) {
        // Each step stores its token.
      }
    } else {
      while (hasNext()) {
        next();
      }
    }
  }

  /** Returns the text that was held back, once. */
  private String flush() {
    if (decoder == null || flushed || stops.isStopped()) {
      return "";
    }
    flushed = true;
    String rest = stops.accept(decoder.finish()) + stops.finish();
    text.append(rest);
    return rest;
  }

  /** Chooses one token and stores it; returns false at the end. */
  boolean step() {
    if (reason != null) {
      return false;
    }
    try {
      if (sampler.isFinished()) {
        return finish(FinishReason.END);
      }
      if (count == options.maxTokens()) {
        return finish(FinishReason.LENGTH);
      }
      if (!evaluated && !evaluate()) {
        return false;
      }
      MemorySegment scores = session.scores(row);
      int id = sampler.sample(scores);
      if (tokenizer.isEndOfGeneration(id) && (!options.ignoreEnd() || isConstrained())) {
        return finish(FinishReason.END);
      }
      if (options.logProbabilities() >= 0) {
        logProbabilities.add(logProbabilities(scores, id));
      }
      sampler.accept(id);
      if (draftsLeft > 0 && session.isDraft(id)) {
        draftsLeft--;
        row++;
        accepted++;
        session.confirm();
      } else {
        session.choose(id);
        evaluated = false;
      }
      if (count == ids.length) {
        ids = Arrays.copyOf(ids, 2 * count);
      }
      ids[count++] = id;
      return true;
    } catch (Throwable e) {
      finish(FinishReason.CANCELLED);
      throw e;
    }
  }

  /** Tells whether the end is part of what the text must conform to, so that nothing follows it. */
  private boolean isConstrained() {
    return options.constraint() != null;
  }

  /** Computes the scores behind the last token, and behind guesses of what comes then. */
  private boolean evaluate() {
    int most = Math.min(options.draftTokens(), options.maxTokens() - count - 1);
    Session.Progress progress = session.evaluate(prefilled == 0 ? 0 : most);
    if (prefilled == 0) {
      prefilled = System.nanoTime();
    }
    switch (progress) {
      case DONE -> {
        row = 0;
        draftsLeft = session.drafts();
        drafted += draftsLeft;
        evaluated = true;
        return true;
      }
      case FULL -> finish(FinishReason.CONTEXT);
      case CANCELLED -> finish(FinishReason.CANCELLED);
    }
    return false;
  }

  private boolean finish(FinishReason why) {
    if (reason == null) {
      reason = why;
      ended = System.nanoTime();
      recorder.end(this, (prefilled == 0 ? ended : prefilled) - begun);
      session.end();
    }
    return false;
  }

  /** Says what this was, once it has ended. */
  void describe(GenerationEvent event) {
    event.promptTokens = promptIds.length;
    event.reusedTokens = reused;
    event.generatedTokens = count;
    event.finishReason = String.valueOf(reason);
  }

  private LogProbabilities logProbabilities(MemorySegment scores, int chosen) {
    int vocabulary = (int) (scores.byteSize() / 4);
    double max = Double.NEGATIVE_INFINITY;
    for (int id = 0; id < vocabulary; id++) {
      max = Math.max(max, scores.getAtIndex(JAVA_FLOAT, id));
    }
    double sum = 0;
    for (int id = 0; id < vocabulary; id++) {
      sum += Math.exp(scores.getAtIndex(JAVA_FLOAT, id) - max);
    }
    double whole = max + Math.log(sum);
    List<Alternative> best = new ArrayList<>();
    for (int rank = 0; rank < Math.min(options.logProbabilities(), vocabulary); rank++) {
      int top = -1;
      for (int id = 0; id < vocabulary; id++) {
        float score = scores.getAtIndex(JAVA_FLOAT, id);
        if ((top < 0 || score > scores.getAtIndex(JAVA_FLOAT, top))
            && (best.isEmpty() || follows(best.getLast(), id, score, whole))) {
          top = id;
        }
      }
      if (top < 0) {
        break;
      }
      best.add(new Alternative(top, (float) (scores.getAtIndex(JAVA_FLOAT, top) - whole)));
    }
    double score = scores.getAtIndex(JAVA_FLOAT, chosen);
    return new LogProbabilities(chosen, (float) (score - whole), List.copyOf(best));
  }

  /** Tells whether a token comes behind another in the order by score, then by id. */
  private static boolean follows(Alternative last, int id, float score, double whole) {
    float logProbability = (float) (score - whole);
    return logProbability < last.logProbability()
        || logProbability == last.logProbability() && id > last.id();
  }

  /** Ends the generation where it is and returns what it gave. */
  public GenerationResult result() {
    close();
    int[] generated = Arrays.copyOf(ids, count);
    FinishReason why = reason;
    if (why == null) {
      throw new IllegalStateException("a closed generation has a reason");
    }
    return new GenerationResult(
        decoder == null ? textOf(generated) : text.toString(),
        promptIds,
        generated,
        why,
        new GenerationResult.Usage(promptIds.length, reused, count, drafted, accepted),
        new GenerationResult.Timings(
            (prefilled == 0 ? ended : prefilled) - begun, prefilled == 0 ? 0 : ended - prefilled),
        List.copyOf(logProbabilities));
  }

  /** Returns the text that a listener would have heard. */
  private String textOf(int[] generated) {
    StreamingDecoder unheard = tokenizer.newDecoder();
    StringBuilder whole = new StringBuilder();
    for (int id : generated) {
      whole.append(unheard.accept(id));
    }
    return whole.append(unheard.finish()).toString();
  }

  /** Ends the generation where it is, and frees the session for the next one. */
  @Override
  public void close() {
    finish(FinishReason.CANCELLED);
    flush();
  }
}
