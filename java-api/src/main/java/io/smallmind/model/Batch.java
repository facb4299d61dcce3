package io.smallmind.model;

import io.smallmind.error.BadArgumentException;
import io.smallmind.kernels.Activations;
import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.MemoryPool;
import io.smallmind.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one forward pass, each the next token of some session, and the buffers they pass
 * through. Made by {@link Model#newBatch} and used again and again; not thread-safe.
 */
public final class Batch implements AutoCloseable {
  /** Consecutive rows of one session. */
  static final class Run {
    private @Nullable KvCache cache;
    int begin;
    int end;

    /** Position of the first row in the session. */
    int position;

    KvCache cache() {
      KvCache current = cache;
      if (current == null) {
        throw new IllegalStateException("this run is not in use");
      }
      return current;
    }
  }

  private final int maxRows;
  private final int maxOutputs;
  private final ModelConfig config;
  private final MemoryPool pool = MemoryPool.small();

  final int[] tokens;
  final int[] positions;
  final int[] outputRows;
  private final Run[] runs;
  private final MemorySegment[] logitRows;
  private final MemorySegment[] embeddingRows;
  private int rowCount;
  private int runCount;
  private int outputCount;
  @Nullable BooleanSupplier cancelled;
  @Nullable PassObserver observer;

  /** The program that runs this batch; set once by the model. */
  @Nullable ForwardPass pass;

  /**
   * Up to so many rows, passing them through norms is cheaper for every member than waiting for
   * another one that does it.
   */
  static final int FEW_ROWS = 4;

  /** By member: the first is large enough for all rows, the others for a few. */
  private final RowBuffers[] buffers;

  /** (rows, queryLength). */
  final Matrix queries;

  /** (rows, keyLength); likewise values. */
  final Matrix keys;

  final Matrix values;

  /** (rows · heads, headDim): the queries by head; likewise keys. */
  final Matrix queryHeads;

  final Matrix keyHeads;

  /** (rows or expert rows, feedForwardLength): what lets the gate through. */
  final Matrix up;

  /** (rows, embeddingLength): what a block adds to the stream. */
  final Matrix residual;

  /** (outputs, vocabulary). */
  final Matrix logits;

  /** What a mixture of experts needs, or null. */
  private final @Nullable ExpertBatch experts;

  Batch(ModelConfig config, Kernels kernels, int members, int maxRows, int maxOutputs) {
    this.config = config;
    this.maxRows = maxRows;
    this.maxOutputs = maxOutputs;
    tokens = new int[maxRows];
    positions = new int[maxRows];
    outputRows = new int[maxOutputs];
    runs = new Run[maxRows];
    for (int run = 0; run < maxRows; run++) {
      runs[run] = new Run();
    }
    int length = config.embeddingLength();
    int inner = config.feedForwardLength();
    int innerRows =
        config.experts() == 0 ? maxRows : Math.multiplyExact(maxRows, config.expertsUsed());
    buffers = new RowBuffers[members];
    try {
      queries = matrix(maxRows, config.queryLength());
      keys = matrix(maxRows, config.keyLength());
      values = matrix(maxRows, config.keyLength());
      queryHeads = heads(queries);
      keyHeads = heads(keys);
      Matrix attended = matrix(maxRows, config.queryLength());
      Matrix gate = matrix(innerRows, inner);
      up = matrix(innerRows, inner);
      residual = matrix(maxRows, length);
      logits = matrix(maxOutputs, config.vocabularySize());
      buffers[0] = rowBuffers(kernels, maxRows, maxOutputs, attended, gate);
      int few = Math.min(FEW_ROWS, maxRows);
      for (int member = 1; member < members; member++) {
        int fewOutputs = Math.min(few, maxOutputs);
        buffers[member] =
            rowBuffers(kernels, few, fewOutputs, firstRows(attended, few), firstRows(gate, few));
      }
      experts =
          config.experts() == 0
              ? null
              : new ExpertBatch(
                  config,
                  maxRows,
                  matrix(maxRows, config.experts()),
                  activations(kernels, matrix(innerRows, length)),
                  matrix(innerRows, length));
    } catch (Throwable e) {
      close();
      throw e;
    }
    logitRows = rows(logits);
    embeddingRows = rows(buffers[0].outputs().source());
  }

  private RowBuffers rowBuffers(
      Kernels kernels, int rows, int outputRows, Matrix attended, Matrix gate) {
    int length = config.embeddingLength();
    return new RowBuffers(
        matrix(rows, length),
        activations(kernels, matrix(rows, length)),
        activations(kernels, attended),
        activations(kernels, gate),
        activations(kernels, matrix(outputRows, length)),
        matrix(rows, config.rope().dimensions()),
        matrix(rows, config.localRope().dimensions()));
  }

  private static Matrix firstRows(Matrix x, int rows) {
    MemorySegment first = x.segment().asSlice(0, rows * x.rowStride());
    return Matrix.of(first, TensorType.F32, rows, x.columns());
  }

  private static MemorySegment[] rows(Matrix matrix) {
    MemorySegment[] rows = new MemorySegment[Math.toIntExact(matrix.rows())];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = matrix.segment().asSlice(matrix.rowOffset(row), matrix.rowStride());
    }
    return rows;
  }

  private Matrix matrix(int rows, int columns) {
    return Matrix.of(pool.allocate(4L * rows * columns), TensorType.F32, rows, columns);
  }

  private Matrix heads(Matrix x) {
    long heads = x.columns() / config.headDim();
    return Matrix.of(x.segment(), TensorType.F32, x.rows() * heads, config.headDim());
  }

  private Activations activations(Kernels kernels, Matrix source) {
    return new Activations(kernels, source, pool);
  }

  /** Empties the batch; cancellation is forgotten too. */
  public void clear() {
    for (int run = 0; run < runCount; run++) {
      runs[run].cache = null;
    }
    rowCount = 0;
    runCount = 0;
    outputCount = 0;
    cancelled = null;
  }

  /** Asks the pass to stop between layers as soon as this turns true; checked by one thread. */
  public void cancelWhen(BooleanSupplier cancelled) {
    this.cancelled = cancelled;
  }

  /**
   * Adds the next token of a session. All tokens of a session follow each other.
   *
   * @param output whether {@link #logits(int)} of this row are wanted
   * @return the row
   * @throws BadArgumentException if the batch is full, or the token is not in the vocabulary
   * @throws io.smallmind.error.ContextOverflowException if the session has no room for it
   */
  public int add(KvCache cache, int token, boolean output) {
    cache.open();
    if (rowCount == maxRows || output && outputCount == maxOutputs) {
      throw new BadArgumentException(
          "the batch is full: " + maxRows + " rows, " + maxOutputs + " of them with logits");
    }
    if (token < 0 || token >= config.vocabularySize()) {
      throw new BadArgumentException(
          "token " + token + " is not in the vocabulary of " + config.vocabularySize());
    }
    boolean extend = runCount > 0 && runs[runCount - 1].cache == cache;
    Run last = runs[extend ? runCount - 1 : runCount];
    int position = extend ? last.position + rowCount - last.begin : cache.length();
    cache.reserve(position + 1);
    if (!extend) {
      for (int run = 0; run < runCount; run++) {
        if (runs[run].cache == cache) {
          throw new BadArgumentException("the tokens of a session must follow each other");
        }
      }
      last.cache = cache;
      last.begin = rowCount;
      last.position = position;
      runCount++;
    }
    if (output) {
      outputRows[outputCount++] = rowCount;
    }
    tokens[rowCount] = token;
    positions[rowCount] = position;
    rowCount++;
    last.end = rowCount;
    return rowCount - 1;
  }

  /** Says who hears where the time of further passes goes; null for nobody, which costs nothing. */
  public void observe(@Nullable PassObserver observer) {
    this.observer = observer;
  }

  /** Returns the tokens of the longest session, with the new ones. */
  int longestContext() {
    int longest = 0;
    for (int index = 0; index < runCount; index++) {
      Run run = runs[index];
      longest = Math.max(longest, run.position + run.end - run.begin);
    }
    return longest;
  }

  /** Returns the number of rows. */
  public int rows() {
    return rowCount;
  }

  /** Returns how many rows fit. */
  public int maxRows() {
    return maxRows;
  }

  /** Returns the number of rows with logits. */
  public int outputs() {
    return outputCount;
  }

  /**
   * Returns the scores of all tokens to come next, after the pass.
   *
   * @param output counts the rows added with output
   * @return (vocabulary) F32, valid until the next pass
   */
  public MemorySegment logits(int output) {
    return logitRows[output];
  }

  /**
   * Returns the normalised last layer of a row, after the pass.
   *
   * @param output counts the rows added with output
   * @return (embeddingLength) F32, valid until the next pass
   */
  public MemorySegment embedding(int output) {
    return embeddingRows[output];
  }

  /**
   * Returns the buffers that all members share. The first member's own are the same ones, so that
   * what a pass leaves there is found by the caller.
   */
  RowBuffers shared() {
    return buffers[0];
  }

  /** Returns a member's own buffers, for at most {@link #FEW_ROWS} rows. */
  RowBuffers own(int member) {
    return buffers[member];
  }

  /** Returns the matrix that projections of this target write to. */
  Matrix target(Projection.Buffer buffer) {
    return switch (buffer) {
      case QUERIES -> queries;
      case KEYS -> keys;
      case VALUES -> values;
      case GATE -> shared().gate().source();
      case UP -> up;
      case RESIDUAL -> residual;
      case ROUTER -> experts().scores;
      case LOGITS -> logits;
    };
  }

  /** Returns what a mixture of experts needs. */
  ExpertBatch experts() {
    ExpertBatch current = experts;
    if (current == null) {
      throw new IllegalStateException("this model has no experts");
    }
    return current;
  }

  int runCount() {
    return runCount;
  }

  Run run(int index) {
    return runs[index];
  }

  /** Frees the buffers. */
  @Override
  public void close() {
    pool.close();
  }
}
