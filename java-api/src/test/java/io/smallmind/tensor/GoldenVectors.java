package io.smallmind.tensor;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.smallmind.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows that ggml quantized and decoded, for one type.
 *
 * @param type the format
 * @param input (rows, columns) row-major: what was quantized
 * @param blocks the rows quantized by ggml
 * @param decoded (rows, columns) row-major: those blocks decoded by ggml
 * @param rmse root of the mean squared difference between decoded and input
 */
record GoldenVectors(
    TensorType type, float[] input, MemorySegment blocks, float[] decoded, double rmse) {
  static final int ROWS = 8;
  static final int COLUMNS = 512;

  /** Reads the vectors of every type in the manifest. */
  static List<GoldenVectors> all() {
    JsonObject types =
        JsonParser.parseString(new String(read("manifest.json"), StandardCharsets.UTF_8))
            .getAsJsonObject()
            .getAsJsonObject("types");
    List<GoldenVectors> all = new ArrayList<>();
    float[] input = floats("input-8x512.f32");
    for (String name : types.keySet()) {
      JsonObject entry = types.getAsJsonObject(name);
      TensorType type = TensorType.byGgufId(entry.get("ggml_type_id").getAsLong());
      if (type == null || !type.name().equals(name)) {
        throw new AssertionError("type " + entry + " is " + type + " here, " + name + " in ggml");
      }
      byte[] bytes = read(name + ".blocks");
      MemorySegment blocks = Arena.ofAuto().allocate(bytes.length);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, blocks, 0, bytes.length);
      all.add(
          new GoldenVectors(
              type,
              input,
              blocks.asReadOnly(),
              floats(name + ".f32"),
              entry.get("rmse_vs_input").getAsDouble()));
    }
    return all;
  }

  @Override
  public String toString() {
    return type.toString();
  }

  private static float[] floats(String file) {
    byte[] bytes = read(file);
    float[] values = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static byte[] read(String file) {
    try {
      return Files.readAllBytes(TestData.path("quant/" + file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
