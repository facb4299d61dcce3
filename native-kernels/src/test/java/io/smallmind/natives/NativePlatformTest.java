package io.smallmind.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativePlatformTest {
  @TempDir Path folder;

  @Test
  void namesMissingFeatures() throws IOException {
    Path x86 = cpuinfo("processor\t: 0\nflags\t\t: fpu avx2 fma\n");
    assertEquals(List.of("f16c"), NativePlatform.missingFlags(x86, InstructionSet.AVX2.cpuFlags()));
    assertEquals(
        List.of("f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"),
        NativePlatform.missingFlags(x86, InstructionSet.AVX512_VNNI.cpuFlags()));
    Path arm = cpuinfo("processor\t: 0\nFeatures\t: fp asimd evtstrm\n");
    assertEquals(List.of(), NativePlatform.missingFlags(arm, InstructionSet.NEON.cpuFlags()));
    assertEquals(
        List.of("asimddp"),
        NativePlatform.missingFlags(arm, InstructionSet.NEON_DOTPROD.cpuFlags()));
  }

  @Test
  void knowsNothingWithoutTheFile() throws IOException {
    List<String> flags = InstructionSet.AVX2.cpuFlags();
    assertEquals(List.of(), NativePlatform.missingFlags(folder.resolve("absent"), flags));
    assertEquals(List.of(), NativePlatform.missingFlags(cpuinfo("vendor: none\n"), flags));
  }

  private Path cpuinfo(String text) throws IOException {
    return Files.writeString(folder.resolve("cpuinfo"), text);
  }
}
