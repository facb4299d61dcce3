package io.smallmind.bench.measure;

import io.smallmind.bench.host.JavaCommand;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Other processes, each of which keeps a processor busy while it is told to. They start when they
 * are first needed, and can't outlive this process. Not thread-safe.
 */
public final class ForeignLoad implements AutoCloseable {
  private final int count;
  private final List<Process> processes = new ArrayList<>();

  /**
   * Prepares a load.
   *
   * @param count number of processes
   */
  public ForeignLoad(int count) {
    this.count = count;
  }

  /** Returns the number of processes. */
  public int count() {
    return count;
  }

  /** Returns the processes that were started. */
  List<Process> processes() {
    return processes;
  }

  /** Lets them work: all are busy when this returns. */
  void begin() {
    try {
      while (processes.size() < count) {
        List<String> command =
            JavaCommand.of(
                List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"), BusyProcess.class);
        processes.add(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
      }
      tell(BusyProcess.WORK);
    } catch (IOException e) {
      close();
      throw new IllegalStateException("no process to be beside: " + e.getMessage(), e);
    }
  }

  /** Lets them rest: none is busy when this returns. */
  void end() {
    try {
      tell(BusyProcess.REST);
    } catch (IOException e) {
      close();
      throw new IllegalStateException("a busy process can't be stopped: " + e.getMessage(), e);
    }
  }

  private void tell(int order) throws IOException {
    for (Process process : processes) {
      process.getOutputStream().write(order);
      process.getOutputStream().flush();
    }
    for (Process process : processes) {
      if (process.getInputStream().read() != order) {
        throw new IOException("it ended");
      }
    }
  }

  @Override
  public void close() {
    for (Process process : processes) {
      process.destroyForcibly();
    }
    processes.clear();
  }
}
