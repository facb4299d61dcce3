package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The drop-in jar, alone on the class path of a program that knows nothing of this project. */
class AllJarIT {
  /** The next release of OpenBLAS may be larger, but not by a library we don't call. */
  private static final long MAX_BYTES = 35L << 20;

  private static final List<String> PLATFORMS =
      List.of("linux-x86_64", "linux-arm64", "windows-x86_64");

  private static final String PROGRAM =
      """
      import io.smallmind.*;
      import io.smallmind.tensor.TensorType;

      public class Program {
        public static void main(String[] args) {
          Backend backend = Backend.best();
          System.out.println("BACKEND " + backend.name());
          float[] c = new float[4];
          backend.matmul(new float[] {1, 2, 3, 4}, new float[] {5, 6, 7, 8}, c, 2, 2, 2);
          System.out.println("C " + java.util.Arrays.toString(c));
          float[] x = new float[32];
          java.util.Arrays.fill(x, 1);
          float[] y = new float[1];
          try (var w = QuantizedMatrix.quantize(x, 1, 32, TensorType.Q8_0)) {
            backend.matmul(x, w, y);
          }
          System.out.println("Y " + Math.round(y[0]));
          System.out.println(backend.explain());
        }
      }
      """;

  private static final Path JAR = Path.of(System.getProperty("smallmind.allJar", "absent"));

  @TempDir Path folder;

  @Test
  void worksAloneOnTheClassPathWithoutFlags() throws IOException {
    compile();
    Fork.Result result = Fork.withClassPath(JAR, folder).cache(folder).run("Program");
    assertRight(result);
    if (Natives.areBuilt()) {
      assertTrue(result.line("BACKEND").startsWith("native-"), result.output());
      assertTrue(result.output().contains("FP32 gemm by OpenBLAS 0."), result.output());
    }
  }

  @Test
  void worksOnTheModulePath() throws IOException {
    compile();
    Fork.Result result =
        Fork.withClassPath(folder)
            .cache(folder)
            .flags("--module-path", JAR.toString(), "--add-modules=io.smallmind.all")
            .flags("--enable-native-access=io.smallmind.all")
            .run("Program");
    assertRight(result);
    assertFalse(result.output().contains("WARNING"), result.output());
  }

  @Test
  void holdsWhatItNeedsAndNoMore() throws IOException {
    assertTrue(Files.size(JAR) < MAX_BYTES, Files.size(JAR) + " bytes");
    try (JarFile jar = new JarFile(JAR.toFile())) {
      for (String platform : PLATFORMS) {
        boolean windows = platform.startsWith("windows");
        String own =
            "io/smallmind/natives/"
                + platform
                + (windows ? "/jniSmallMind.dll" : "/libjniSmallMind.so");
        if (System.getenv("CI") != null) {
          assertNotNull(jar.getEntry(own), own);
        }
        String blas =
            "org/bytedeco/openblas/"
                + platform
                + (windows ? "/libopenblas.dll" : "/libopenblas.so.0");
        assertNotNull(jar.getEntry(blas), blas);
      }
      assertNotNull(jar.getEntry("META-INF/LICENSE"));
      assertNotNull(jar.getEntry("META-INF/THIRD-PARTY.txt"));
      assertNotNull(jar.getEntry("META-INF/services/io.smallmind.kernels.KernelsProvider"));
      assertEquals(0, jar.stream().filter(entry -> isUnwanted(entry.getName())).count());
      assertEquals(
          "io.smallmind.all",
          jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name"));
    }
  }

  private static boolean isUnwanted(String name) {
    return name.endsWith("module-info.class")
        || name.endsWith(".obj")
        || name.endsWith(".lib")
        || name.contains("openblas_full")
        || name.contains("jniopenblas.");
  }

  private void compile() throws IOException {
    Path source = Files.writeString(folder.resolve("Program.java"), PROGRAM);
    Fork.Result result =
        Fork.execute(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                "-cp",
                JAR.toString(),
                source.toString()));
    assertEquals(0, result.exitCode(), result.output());
  }

  private static void assertRight(Fork.Result result) {
    assertEquals(0, result.exitCode(), result.output());
    assertEquals("[19.0, 22.0, 43.0, 50.0]", result.line("C"), result.output());
    assertEquals("32", result.line("Y"), result.output());
  }
}
