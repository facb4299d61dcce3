package io.smallmind.bench.host;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command lines of further Java processes, with the Java and the class path of this one. */
public final class JavaCommand {
  private static final String NATIVES = "org.bytedeco.javacpp.cachedir";

  private JavaCommand() {}

  /** Returns the options of a JVM that computes as this one does. */
  public static List<String> computing() {
    return List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED");
  }

  /** Returns those, and the one that says where natives are unpacked, if this process has it. */
  public static List<String> computingHere() {
    List<String> options = new ArrayList<>(computing());
    if (System.getProperty(NATIVES) != null) {
      options.add(natives(System.getProperty(NATIVES)));
    }
    return options;
  }

  /** Returns the option that says into which folder natives are unpacked. */
  public static String natives(String folder) {
    return "-D" + NATIVES + "=" + folder;
  }

  /**
   * Returns the words of a command line.
   *
   * @param options of the JVM
   * @param program a class with a main method
   */
  public static List<String> of(List<String> options, Class<?> program, String... arguments) {
    return of(options, System.getProperty("java.class.path", ""), program.getName(), arguments);
  }

  /**
   * Returns the words of a command line.
   *
   * @param options of the JVM
   * @param program name of a class with a main method
   */
  public static List<String> of(
      List<String> options, String classPath, String program, String... arguments) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    words.addAll(options);
    words.addAll(List.of("-cp", classPath, program));
    words.addAll(List.of(arguments));
    return words;
  }
}
