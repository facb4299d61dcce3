package io.smallmind;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.kernels.Team;
import io.smallmind.tensor.Memory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * An off-heap buffer that grows to the largest array that was copied through it. Not thread-safe.
 */
final class Staging {
  /** Below this, one thread copies faster than a team forks. */
  private static final long PARALLEL_BYTES = 1 << 18;

  private static final Thread OTHER_THREAD = new Thread(() -> {});

  private @Nullable Memory memory;
  private @Nullable MemorySegment view;

  private final Copy copy = new Copy();

  /** Tells whether every thread can work on a segment in place. */
  static boolean isDirect(MemorySegment segment) {
    return segment.isNative()
        && (segment.address() & 3) == 0
        && segment.isAccessibleBy(OTHER_THREAD);
  }

  /** Returns room for this many bytes, with any content. */
  MemorySegment room(long bytes) {
    Memory current = memory;
    if (current == null || current.segment().byteSize() < bytes) {
      if (current != null) {
        current.close();
      }
      memory = null;
      current = Memory.allocate(Math.max(bytes, 4));
      memory = current;
      view = null;
    }
    MemorySegment exact = view;
    if (exact == null || exact.byteSize() != bytes) {
      exact = current.segment().asSlice(0, bytes);
      view = exact;
    }
    return exact;
  }

  MemorySegment copyIn(Team team, float[] source) {
    MemorySegment target = room(source.length * 4L);
    copy.run(team, source, target, true);
    return target;
  }

  /** Fills an array from the buffer. */
  void copyOut(Team team, float[] target) {
    copy.run(team, target, room(target.length * 4L), false);
  }

  MemorySegment copyIn(Team team, MemorySegment source, long bytes) {
    MemorySegment target = room(bytes);
    // A confined segment can be read by this thread only.
    MemorySegment.copy(source, JAVA_BYTE, 0, target, JAVA_BYTE, 0, bytes);
    return target;
  }

  /** Fills the front of a segment from the buffer. */
  void copyOut(Team team, MemorySegment target, long bytes) {
    MemorySegment.copy(room(bytes), JAVA_BYTE, 0, target, JAVA_BYTE, 0, bytes);
  }

  /** A copy between the heap and the buffer, split among the members. */
  private static final class Copy implements Team.Work {
    private static final float[] NONE = {};

    private float[] array = NONE;
    private MemorySegment buffer = MemorySegment.NULL;
    private boolean in;

    void run(Team team, float[] array, MemorySegment buffer, boolean in) {
      this.array = array;
      this.buffer = buffer;
      this.in = in;
      try {
        if (buffer.byteSize() < PARALLEL_BYTES) {
          copy(0, array.length);
        } else {
          team.run(this);
        }
      } finally {
        this.array = NONE; // the caller's array must not be kept alive
      }
    }

    @Override
    public void run(Team team, int member) {
      int begin = (int) ((long) array.length * member / team.size());
      int end = (int) ((long) array.length * (member + 1) / team.size());
      copy(begin, end);
    }

    private void copy(int begin, int end) {
      if (in) {
        MemorySegment.copy(array, begin, buffer, JAVA_FLOAT, begin * 4L, end - begin);
      } else {
        MemorySegment.copy(buffer, JAVA_FLOAT, begin * 4L, array, begin, end - begin);
      }
    }
  }
}
