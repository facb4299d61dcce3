package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | name a command",
        "frobnicate | frobnicate",
        "matmul --frob | --frob",
        "matmul --types Q9_9 | unknown tensor type 'Q9_9'",
        "matmul --types IQ1_S | can't be computed with",
        "matmul --sizes 0 | --sizes: choose 1 to",
        "matmul --sizes x | --sizes",
        "matmul --sizes 7 --types Q4_0 | multiple of 32",
        "matmul --m 8 | belong together",
        "matmul --n 8 | need --m",
        "matmul --sizes 32 --m 8 --n 8 --k 8 | square",
        "matmul --threads 0 | --threads: choose 1 to",
        "matmul --threads 100000 | --threads: choose 1 to",
        "matmul --repeat 0 | --repeat: choose 1 to",
        "matmul --cap 0 | --cap: choose a time above 0",
        "matmul --warm-up -1 | --warm-up: choose a time above 0",
        "matmul --backends warp | unknown backend 'warp'",
        "matmul --mode diagonal | --mode",
        "matmul --rows 0 | --rows: choose 1 to",
        "matmul --json /nowhere/at/all.json | --json: can't write",
        "matmul --model /nowhere/at/all.gguf | --model: no file",
        "matmul --model a.gguf --sizes 32 | --model brings its own shapes",
        "model --shape elephant | unknown shape 'elephant'",
        "model --types Q9_9 | Q9_9",
        "model --kv q3 | --kv: choose f16",
        "model --prompt -1 | --prompt: choose 0 to",
        "model --sessions 0 | --sessions: choose 1 to",
        "model --beside -1 | --beside: choose 0 to",
        "sessions --beside 2000 | --beside: choose 0 to",
        "model --prompt 0 --generate 0 --shape tiny-llama --cache target/models | anything to do",
        "model --model /nowhere/at/all.gguf | --model: no file",
        "model --model a.gguf --types Q4_0 | --model brings its own",
        "model --quota 0 | --quota: choose 0.1 to",
        "peers --shape tiny-llama --quota 100000 | --quota: choose 0.1 to",
        "trend /nowhere | no folder",
        "report a.json --html x | no file a.json",
        "compare | name two files",
        "compare a.json b.json | no file a.json",
        "compare a b --threshold 0 | --threshold: choose",
        "compare --run main | --run needs",
        "lookup --draft-tokens 16 | --draft-tokens: choose 1 to 15",
        "lookup --generate 0 | --generate: choose 1 to",
        "load --rivals llama.cpp | name one by --shape",
        "load --types Q4_0 | --types is of models",
        "load --cache target/models | --cache is of models",
        "load --shape tiny-llama --rivals PyTorch | known are llama.cpp",
        "peers --sizes 32 --mapped | --mapped is of models",
        "peers --gemv 32 --beside -1 | --beside is of models",
        "peers --train smallmind-30m --prompt 8 | --prompt is of models",
        "peers --shape tiny-llama --no-load --cache target/models | --no-load: beside rivals",
        "load --shape tiny-llama --rivals hare | unknown rival 'hare'",
        "peers --rivals hare | unknown rival 'hare'",
        "ops --ops sort | unknown operation 'sort'",
        "ops --sizes 1 | --sizes: choose 128 to",
      })
  void slipsAreToldInOneLineWithExitCode2(String arguments, String message) {
    BenchProcess run = BenchProcess.run(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    assertEquals(2, run.exitCode(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("error: "), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void helpListsTheCommands() {
    BenchProcess run = BenchProcess.run("--help");
    assertEquals(0, run.exitCode());
    for (String command :
        new String[] {
          "matmul", "ops", "model", "peers", "all", "compare", "trend", "report", "jmh"
        }) {
      assertTrue(run.out().contains(command), run.out());
    }
    assertTrue(run.out().lines().allMatch(line -> line.length() <= 80), run.out());
  }

  @Test
  void everyMeasuringCommandExplainsItsOptions() {
    for (String command : new String[] {"matmul", "ops", "model", "peers"}) {
      BenchProcess run = BenchProcess.run(command, "--help");
      assertEquals(0, run.exitCode());
      for (String option : new String[] {"--backends", "--threads", "--json", "--quick"}) {
        assertTrue(run.out().contains(option), run.out());
      }
    }
  }
}
