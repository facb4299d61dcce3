package io.smallmind.bench.measure;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * Counts the heap bytes that the calling thread and the teams' threads allocate, and collections.
 * Reading doesn't allocate.
 */
public final class HeapMeter {
  private static final String TEAM_PREFIX = "smallmind-";

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final List<GarbageCollectorMXBean> collectors =
      ManagementFactory.getGarbageCollectorMXBeans();
  private final long[] workerIds;

  /** Creates a meter for the calling thread and every team that exists by now. */
  public HeapMeter() {
    workerIds =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith(TEAM_PREFIX))
            .mapToLong(Thread::threadId)
            .toArray();
  }

  /** Returns the bytes allocated so far. */
  public long allocatedBytes() {
    long bytes = threads.getCurrentThreadAllocatedBytes();
    for (long id : workerIds) {
      bytes += Math.max(0, threads.getThreadAllocatedBytes(id));
    }
    return bytes;
  }

  /** Returns the number of collections so far. */
  public long collections() {
    long count = 0;
    for (int i = 0; i < collectors.size(); i++) {
      count += Math.max(0, collectors.get(i).getCollectionCount());
    }
    return count;
  }
}
