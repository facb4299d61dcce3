package io.smallmind.bench.limits;

import io.smallmind.bench.measure.Role;
import io.smallmind.bench.measure.Trial;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.Memory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes trials that reach the machine's limits, to run in turn with the work that is compared to
 * them. Not thread-safe.
 */
public final class Limits implements AutoCloseable {
  /** Enough to read: far more than the largest caches hold. */
  private static final long READ_BYTES = 512L << 20;

  private static final long READ_BYTES_QUICK = 256L << 20;

  /** Some milliseconds. */
  private static final long ROUNDS = 1L << 20;

  /** Steps of a read, in bytes. */
  private static final long READ_GRAIN = 512;

  private final @Nullable LimitLoops loops;
  private final long readBytes;
  private @Nullable Memory memory;

  private Limits(@Nullable LimitLoops loops, boolean quick) {
    this.loops = loops;
    this.readBytes = quick ? READ_BYTES_QUICK : READ_BYTES;
  }

  /** Returns no limits at all, for work that is compared to none. */
  public static Limits none() {
    return new Limits(null, true);
  }

  /**
   * Finds loops that run here: native ones, or those of the Vector API, or none.
   *
   * @param available every backend that runs here
   * @param quick reads less memory
   */
  public static Limits find(List<Kernels> available, boolean quick) {
    LimitLoops loops = NativeLoops.find(available);
    if (loops == null && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      loops = new VectorLoops();
    }
    return new Limits(loops, quick);
  }

  /** Returns what the loops are made of, or why there are none. */
  public String detail() {
    return loops == null
        ? "not measured: neither the native library nor the Vector API is there"
        : loops.name();
  }

  /** Returns a trial that reaches a limit with all threads of a team, if there is one. */
  public Optional<Trial> trial(LimitKind kind, Team team) {
    if (loops == null || !loops.has(kind)) {
      return Optional.empty();
    }
    return Optional.of(
        kind == LimitKind.READ
            ? new ReadTrial(loops, team, readMemory(), readBytes)
            : new ComputeTrial(loops, kind, team));
  }

  /**
   * Returns plain C loops over the same memory as the work that is compared to them, without and
   * with streaming stores; none where they can't be had.
   *
   * @param b second input of an addition; null for max(a, 0)
   * @param length in elements, a multiple of 16
   */
  public List<Trial> plainLoops(Team team, Memory a, @Nullable Memory b, long length) {
    if (loops == null || !loops.hasPlainLoops()) {
      return List.of();
    }
    return List.of(
        new PlainTrial(loops, team, a, b, length, false),
        new PlainTrial(loops, team, a, b, length, true));
  }

  private Memory readMemory() {
    if (memory == null) {
      memory = Memory.allocate(readBytes);
      // Memory that was never written to is one page of zeros, again and again, in the cache.
      memory.segment().fill((byte) 1);
    }
    return memory;
  }

  /** Frees the memory that was read. */
  @Override
  public void close() {
    if (memory != null) {
      memory.close();
      memory = null;
    }
  }

  private static final class ComputeTrial extends Trial implements Team.Work {
    private final LimitLoops loops;
    private final LimitKind kind;
    private final Team team;
    private final double[] operations; // (threads)

    ComputeTrial(LimitLoops loops, LimitKind kind, Team team) {
      super(kind.title(), Role.LIMIT, team.size());
      this.loops = loops;
      this.kind = kind;
      this.team = team;
      operations = new double[team.size()];
    }

    @Override
    public void run(Team all, int member) {
      operations[member] =
          kind == LimitKind.FMA ? loops.multiplyAdd(ROUNDS) : loops.int8Dot(ROUNDS);
    }

    @Override
    public void call() {
      team.run(this);
    }

    @Override
    public double operations() {
      double sum = 0;
      for (double part : operations) {
        sum += part;
      }
      return sum;
    }
  }

  private static final class ReadTrial extends Trial implements Team.Work {
    private final LimitLoops loops;
    private final Team team;
    private final Memory memory;
    private final long bytes;
    private final long[] checksums; // (threads)

    ReadTrial(LimitLoops loops, Team team, Memory memory, long bytes) {
      super(LimitKind.READ.title(), Role.LIMIT, team.size());
      this.loops = loops;
      this.team = team;
      this.memory = memory;
      this.bytes = bytes;
      checksums = new long[team.size()];
    }

    @Override
    public void run(Team all, int member) {
      long steps = bytes / READ_GRAIN;
      long begin = steps * member / threads() * READ_GRAIN;
      long end = steps * (member + 1) / threads() * READ_GRAIN;
      checksums[member] = loops.read(memory.segment(), begin, end);
    }

    @Override
    public void call() {
      team.run(this);
    }

    @Override
    public double bytes() {
      return bytes;
    }
  }

  private static final class PlainTrial extends Trial implements Team.Work {
    private static final long GRAIN = 16;

    private final LimitLoops loops;
    private final Team team;
    private final MemorySegment a;
    private final @Nullable MemorySegment b;
    private final Memory out;
    private final long length;
    private final boolean streaming;

    PlainTrial(
        LimitLoops loops, Team team, Memory a, @Nullable Memory b, long length, boolean streaming) {
      super(streaming ? "C loop, streaming" : "C loop", Role.BASELINE, team.size());
      this.loops = loops;
      this.team = team;
      this.a = a.segment();
      this.b = b == null ? null : b.segment();
      this.out = Memory.allocate(length * Float.BYTES);
      this.length = length;
      this.streaming = streaming;
    }

    @Override
    public void run(Team all, int member) {
      long begin = length / GRAIN * member / threads() * GRAIN;
      long end = length / GRAIN * (member + 1) / threads() * GRAIN;
      if (b == null) {
        loops.relu(a, out.segment(), begin, end, streaming);
      } else {
        loops.add(a, b, out.segment(), begin, end, streaming);
      }
    }

    @Override
    public void call() {
      team.run(this);
    }

    @Override
    public void close() {
      out.close();
    }
  }
}
