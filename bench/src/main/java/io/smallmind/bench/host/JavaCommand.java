package io.smallmind.bench.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command lines of further Java processes, with the Java and the class path of this one. */
public final class JavaCommand {
  private JavaCommand() {}

  /**
   * Returns the words of a command line.
   *
   * @param options of the JVM
   * @param program a class with a main method
   */
  public static List<String> of(List<String> options, Class<?> program, String... arguments) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    words.addAll(options);
    words.addAll(List.of("-cp", System.getProperty("java.class.path", ""), program.getName()));
    words.addAll(List.of(arguments));
    return words;
  }
}
