package io.smallmind.natives;

import static java.util.stream.Collectors.joining;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Tells the conformance tests which backends this host must offer, from what the operating system
 * says of the CPU rather than from what our library says: a backend that got lost fails the tests.
 * An emulator passes on what is said of the real CPU, so there the property is given.
 */
public final class ExpectedBackends implements LauncherSessionListener {
  private static final String PROPERTY = "smallmind.test.expectedBackends";
  private static final String ONLY_PROPERTY = "smallmind.test.onlyBackends";

  @Override
  public void launcherSessionOpened(LauncherSession session) {
    if (System.getProperty(PROPERTY) == null) {
      String only = System.getProperty(ONLY_PROPERTY, "");
      System.setProperty(
          PROPERTY,
          backends().stream().filter(name -> name.startsWith(only)).collect(joining(",")));
    }
  }

  /** Returns the names of the backends that must be available here. */
  static List<String> backends() {
    List<String> names = new ArrayList<>(List.of("scalar"));
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      names.add("vector");
    }
    if (Natives.areBuilt()) {
      for (InstructionSet set : InstructionSet.values()) {
        if (set.architecture().equals(NativePlatform.architecture()) && cpuHas(set)) {
          names.add(set.backend());
        }
      }
    }
    return names;
  }

  private static boolean cpuHas(InstructionSet set) {
    return NativePlatform.missingFlags(Path.of("/proc/cpuinfo"), set.cpuFlags()).isEmpty();
  }

  /** Returns the names of the native ones as the tests were told, sorted. */
  static List<String> natives() {
    return Stream.of(System.getProperty(PROPERTY, "").split(","))
        .filter(name -> name.startsWith("native-"))
        .sorted()
        .toList();
  }
}
