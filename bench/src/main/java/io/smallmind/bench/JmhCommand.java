package io.smallmind.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Hands its arguments to JMH. */
@Command(
    name = "jmh",
    description = "The same kernels as JMH benchmarks; takes JMH's own arguments (-h lists them).")
final class JmhCommand implements Callable<Integer> {
  @Parameters(paramLabel = "ARG", description = "Arguments of JMH.", arity = "0..*")
  private List<String> arguments = new ArrayList<>();

  /** JMH prints its own errors, and ends the process with 1 after one. */
  @Override
  public Integer call() throws IOException {
    org.openjdk.jmh.Main.main(arguments.toArray(new String[0]));
    return 0;
  }
}
