package io.smallmind.architecture;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Which package may know which: docs/architecture.md draws the same arrows. */
final class ArrowsTest {
  private static final String ROOT = "io.smallmind";

  /** Each package with those that it may use, besides itself and {@code io.smallmind.error}. */
  private static final Map<String, Set<String>> ALLOWED =
      Map.of(
          "error", Set.of(),
          "tensor", Set.of(),
          "gguf", Set.of("tensor"),
          "kernels", Set.of("tensor"),
          "tokenizer", Set.of("gguf"),
          "sampling", Set.of("tokenizer"),
          "model", Set.of("gguf", "kernels", "tensor"),
          "convert", Set.of("gguf", "kernels", "model", "tensor"),
          "training", Set.of("convert", "gguf", "kernels", "model", "tensor", "tokenizer"),
          "", Set.of("gguf", "kernels", "model", "sampling", "tensor", "tokenizer"));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> location.contains("/java-api/"))
          .importPackages(ROOT);

  @Test
  void packagesKnowOnlyThoseBelowThem() {
    Set<String> mistakes = new TreeSet<>();
    int checked = 0;
    for (JavaClass type : CLASSES) {
      String from = packageOf(type);
      Set<String> allowed = ALLOWED.get(from);
      if (allowed == null) {
        mistakes.add("package " + type.getPackageName() + " has no arrows: add them here");
        continue;
      }
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (!isOurs(target)) {
          continue;
        }
        checked++;
        String to = packageOf(target);
        if (!to.equals(from) && !to.equals("error") && !allowed.contains(to)) {
          mistakes.add(dependency.getDescription());
        }
      }
    }
    assertTrue(mistakes.isEmpty(), () -> String.join("\n", mistakes));
    assertTrue(checked > 100, "dependencies seen: " + checked);
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching("io.smallmind.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  /** Natives are found with ServiceLoader; the API has no dependency but annotations. */
  @Test
  void theApiNamesNothingOutsideTheJdk() {
    Set<String> mistakes = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        String name = target.getPackageName();
        if (!isOurs(target)
            && !target.isPrimitive()
            && !name.startsWith("java.")
            && !name.startsWith("jdk.incubator.vector")
            && !name.startsWith("jdk.jfr")
            && !name.startsWith("org.jspecify.annotations")) {
          mistakes.add(dependency.getDescription());
        }
      }
    }
    assertTrue(mistakes.isEmpty(), () -> String.join("\n", mistakes));
  }

  private static boolean isOurs(JavaClass type) {
    return type.getPackageName().equals(ROOT) || type.getPackageName().startsWith(ROOT + ".");
  }

  /** The first part of the package's name below the root; empty for the root itself. */
  private static String packageOf(JavaClass type) {
    String name = type.getPackageName();
    return name.equals(ROOT) ? "" : name.substring(ROOT.length() + 1).split("\\.", 2)[0];
  }
}
