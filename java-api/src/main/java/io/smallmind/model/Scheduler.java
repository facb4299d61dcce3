package io.smallmind.model;

import io.smallmind.error.ClosedException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Joins what many sessions want to compute at the same time into common forward passes, since a
 * pass reads all weights once, however many rows it has. Thread-safe.
 *
 * <p>There is no thread of its own: one of the waiting callers runs the pass for all of them.
 */
public final class Scheduler implements AutoCloseable {
  /** How long a pass waits for sessions that are just choosing their next token, in ns. */
  private static final long GATHER_NANOS = 300_000;

  private final Model model;
  private final Batch batch;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Request> waiting = new ArrayDeque<>();
  private final ArrayList<Request> running = new ArrayList<>(); // by index: iterators allocate
  private final int maxOutputs;
  private int active;
  private boolean passing;
  private boolean closed;

  /**
   * Creates a scheduler with one batch's buffers.
   *
   * @param maxRows most tokens per pass: longer prompts take several
   * @param maxOutputs most rows with logits per pass
   */
  public Scheduler(Model model, int maxRows, int maxOutputs) {
    this.model = model;
    this.maxOutputs = maxOutputs;
    batch = model.newBatch(maxRows, maxOutputs);
  }

  /** What one session wants to compute: used again and again; not thread-safe. */
  public static final class Request {
    private final KvCache cache;
    private final BooleanSupplier cancelled;
    private int[] tokens = {};
    private int begin;
    private int end;
    private int firstOutput;
    private @Nullable MemorySegment logits;
    private @Nullable MemorySegment embeddings;
    private int inPass;
    private boolean done;
    private boolean stopped;
    private @Nullable Throwable failure;

    /**
     * Creates a request.
     *
     * @param cancelled checked before and during passes, by any thread
     */
    public Request(KvCache cache, BooleanSupplier cancelled) {
      this.cache = cache;
      this.cancelled = cancelled;
    }

    /**
     * Says what to compute next.
     *
     * @param tokens hold the session's next tokens from begin to end, not changed meanwhile
     * @param firstOutput the first of these tokens whose outputs are wanted; all behind it are too
     * @param logits receives (outputs, vocabulary) F32, or null
     * @param embeddings receives (outputs, embeddingLength) F32, or null
     */
    public void set(
        int[] tokens,
        int begin,
        int end,
        int firstOutput,
        @Nullable MemorySegment logits,
        @Nullable MemorySegment embeddings) {
      this.tokens = tokens;
      this.begin = begin;
      this.end = end;
      this.firstOutput = firstOutput;
      this.logits = logits;
      this.embeddings = embeddings;
      done = false;
      stopped = false;
      failure = null;
    }

    private int outputs(int rows) {
      return Math.max(0, begin + rows - Math.max(begin, firstOutput));
    }
  }

  /** Says that a session begins to generate: passes wait a moment for all that do. */
  public void enter() {
    lock.lock();
    try {
      active++;
    } finally {
      lock.unlock();
    }
  }

  /** Says that a session no longer generates. */
  public void leave() {
    lock.lock();
    try {
      active--;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Computes a request, together with those of other threads.
   *
   * @return false if it was cancelled; the cache then holds the tokens of the passes that ended
   * @throws ClosedException if this was closed
   */
  public boolean run(Request request) {
    lock.lock();
    try {
      if (closed) {
        throw new ClosedException("this model was closed; load it anew");
      }
      waiting.add(request);
      changed.signalAll();
      while (!request.done) {
        if (passing) {
          changed.awaitUninterruptibly();
        } else {
          passing = true;
          try {
            gather();
            pass();
          } finally {
            passing = false;
            changed.signalAll();
          }
        }
      }
      Throwable failure = request.failure;
      if (failure instanceof RuntimeException exception) {
        throw exception;
      }
      if (failure instanceof Error error) {
        throw error;
      }
      return !request.stopped;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until every generating session asks for something, but not for long. */
  private void gather() {
    long left = GATHER_NANOS;
    while (waiting.size() < active && left > 0) {
      try {
        left = changed.awaitNanos(left);
      } catch (InterruptedException e) {
        // The caller's own cancellation sees it; others must not suffer.
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Runs one pass for as many requests as fit; the lock is free meanwhile. */
  private void pass() {
    try {
      fill();
      if (running.isEmpty()) {
        return;
      }
      boolean finished;
      lock.unlock();
      try {
        finished = model.forward(batch);
        if (finished) {
          deliver();
        }
      } finally {
        lock.lock();
      }
      for (int i = 0; i < running.size(); i++) {
        Request request = running.get(i);
        request.stopped = !finished;
        request.begin += request.inPass;
        request.done = request.stopped || request.begin == request.end;
      }
    } catch (Throwable failure) {
      for (Request request : running) {
        request.failure = failure;
        request.done = true;
      }
    } finally {
      // What is not done yet goes to the front again, in its old order.
      while (!running.isEmpty()) {
        Request request = running.removeLast();
        if (!request.done) {
          waiting.addFirst(request);
        }
      }
    }
  }

  private void fill() {
    batch.clear();
    int outputs = 0;
    for (int left = waiting.size(); left > 0; left--) {
      Request request = waiting.removeFirst();
      if (request.cancelled.getAsBoolean()) {
        request.stopped = true;
        request.done = true;
        continue;
      }
      int rows = Math.min(request.end - request.begin, batch.maxRows() - batch.rows());
      while (rows > 0 && outputs + request.outputs(rows) > maxOutputs) {
        rows--;
      }
      request.inPass = rows;
      if (rows == 0) {
        waiting.addLast(request);
        continue;
      }
      running.add(request);
      for (int i = request.begin; i < request.begin + rows; i++) {
        batch.add(request.cache, request.tokens[i], i >= request.firstOutput);
      }
      outputs += request.outputs(rows);
    }
    if (running.size() == 1) {
      batch.cancelWhen(running.getFirst().cancelled);
    }
  }

  private void deliver() {
    int output = 0;
    for (int index = 0; index < running.size(); index++) {
      Request request = running.get(index);
      int count = request.outputs(request.inPass);
      int first = Math.max(request.begin, request.firstOutput) - request.firstOutput;
      for (int i = 0; i < count; i++, output++) {
        copy(batch.logits(output), request.logits, first + i);
        copy(batch.embedding(output), request.embeddings, first + i);
      }
    }
  }

  private static void copy(MemorySegment row, @Nullable MemorySegment target, int index) {
    if (target != null) {
      MemorySegment.copy(row, 0, target, index * row.byteSize(), row.byteSize());
    }
  }

  /** Frees the buffers once no pass runs any more; later requests throw. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      while (passing || !waiting.isEmpty()) {
        changed.awaitUninterruptibly();
      }
      batch.close();
    } finally {
      lock.unlock();
    }
  }
}
