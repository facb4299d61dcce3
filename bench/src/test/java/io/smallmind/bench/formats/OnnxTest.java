package io.smallmind.bench.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.convert.ModelShape;
import io.smallmind.convert.QuantizationMix;
import io.smallmind.convert.SyntheticModel;
import io.smallmind.gguf.GgufFile;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Team;
import io.smallmind.model.Batch;
import io.smallmind.model.KvCache;
import io.smallmind.model.LoadOptions;
import io.smallmind.model.Model;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written for ONNX Runtime does the same there as here. */
class OnnxTest {
  private static final int M = 3;
  private static final int N = 8;
  private static final int K = 64;

  @TempDir private Path folder;

  @Test
  void messagesAreThoseOfProtocolBuffers() {
    Protobuf inner = new Protobuf().text(2, "hé");
    byte[] bytes = new Protobuf().integer(1, 300).real(3, 1).message(16, inner).toBytes();
    assertArrayEquals(
        new byte[] {
          0x08,
          (byte) 0xAC,
          0x02,
          0x1D,
          0,
          0,
          (byte) 0x80,
          0x3F,
          (byte) 0x82,
          0x01,
          5,
          0x12,
          3,
          'h',
          (byte) 0xC3,
          (byte) 0xA9
        },
        bytes);
    assertEquals(11, new Protobuf().integer(1, -1).toBytes().length);
  }

  @ParameterizedTest
  @CsvSource({"F32,false", "F32,true", "Q4_0,true", "Q8_0,true"})
  void productsHaveTheVeryWeights(TensorType type, boolean transposed)
      throws IOException, OrtException {
    SplittableRandom random = new SplittableRandom(1);
    // One number in a row: rounding activations to 8 bits leaves it as it is.
    float[] a = new float[M * K];
    for (int row = 0; row < M; row++) {
      a[row * K + 7 + 13 * row] = 1;
    }
    float[] values = new float[N * K];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    byte[] blocks;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment encoded = arena.allocate(N * type.rowBytes(K));
      type.codec().encode(values, 0, encoded, 0, values.length);
      type.codec().decode(encoded, 0, values, 0, values.length);
      blocks = encoded.toArray(ValueLayout.JAVA_BYTE);
    }
    Path b = Files.write(folder.resolve("b"), blocks);
    Path model = OnnxMatmul.write(new MatmulRival.Product(type, M, N, K, transposed, 1, b, b));
    float[] y = new float[M * N];
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(model.toString());
        OnnxTensor input =
            OnnxTensor.createTensor(environment, FloatBuffer.wrap(a), new long[] {M, K});
        OrtSession.Result result = session.run(Map.of("a", input))) {
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(y);
    }
    for (int row = 0; row < M; row++) {
      int i = 7 + 13 * row;
      for (int column = 0; column < N; column++) {
        float weight = transposed ? values[column * K + i] : values[i * N + column];
        assertEquals(weight, y[row * N + column], 1e-6f, row + " " + column);
      }
    }
  }

  private Path gguf(String mix) {
    Path file = folder.resolve(mix + ".gguf");
    SyntheticModel.write(
        file,
        ModelShape.byName("tiny-llama"),
        QuantizationMix.byName(mix),
        1,
        false,
        Team.shared(),
        (done, total, name) -> {});
    return file;
  }

  @ParameterizedTest
  @CsvSource({"F32,1e-4", "Q4_0,0.05", "Q8_0,0.05"})
  void modelsGiveTheSameScores(String mix, double tolerance) throws IOException, OrtException {
    int[] tokens = {5, 300, 17, 42};
    Path gguf = gguf(mix);
    float[] expected;
    try (GgufFile file = GgufFile.open(gguf);
        Model model =
            Model.load(
                file,
                KernelRegistry.get().byName("scalar"),
                Team.shared(),
                LoadOptions.defaults());
        KvCache cache = model.newCache(TensorType.F32, tokens.length);
        Batch batch = model.newBatch(tokens.length, 1)) {
      for (int i = 0; i < tokens.length; i++) {
        batch.add(cache, tokens[i], i == tokens.length - 1);
      }
      model.forward(batch);
      expected = batch.logits(0).toArray(ValueLayout.JAVA_FLOAT);
    }
    float[] actual = run(OnnxLlama.of(gguf, folder), tokens, expected.length);
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      error += Math.pow(actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    assertEquals(0, Math.sqrt(error / size), tolerance);
  }

  /** Reads all but the last token, then the last one behind what was kept. */
  private static float[] run(Path model, int[] tokens, int vocabulary) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] logits = new float[vocabulary];
    try (OrtSession session =
        environment.createSession(model.resolve("onnx/model.onnx").toString())) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (String name : session.getInputNames()) {
        if (name.startsWith("past")) {
          ByteBuffer none = ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder());
          inputs.put(
              name,
              OnnxTensor.createTensor(environment, none.asFloatBuffer(), new long[] {1, 2, 0, 64}));
        }
      }
      int last = tokens.length - 1;
      for (int begin : new int[] {0, last}) {
        int end = begin == 0 ? last : tokens.length;
        long[] ids = new long[end - begin];
        long[] mask = new long[end];
        Arrays.setAll(ids, i -> tokens[begin + i]);
        Arrays.fill(mask, 1);
        inputs.put("input_ids", row(environment, ids));
        inputs.put("attention_mask", row(environment, mask));
        OrtSession.Result result = session.run(inputs);
        for (String name : session.getInputNames()) {
          if (name.startsWith("past")) {
            String present = name.replace("past_key_values", "present");
            inputs.put(name, (OnnxTensor) result.get(present).orElseThrow());
          }
        }
        ((OnnxTensor) result.get("logits").orElseThrow()).getFloatBuffer().get(logits);
      }
    }
    return logits;
  }

  private static OnnxTensor row(OrtEnvironment environment, long[] values) throws OrtException {
    return OnnxTensor.createTensor(
        environment, LongBuffer.wrap(values), new long[] {1, values.length});
  }

  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      names = {"Q4_K", "Q6_K"})
  void otherTypesAreRefused(TensorType type) {
    IOException refused =
        assertThrows(IOException.class, () -> OnnxLlama.of(gguf(type.name()), folder));
    assertEquals(
        "ONNX models are written in F32, Q4_0 and Q8_0, not " + type, refused.getMessage());
  }
}
