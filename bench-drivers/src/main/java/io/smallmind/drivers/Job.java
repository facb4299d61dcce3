package io.smallmind.drivers;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * What is to be multiplied: y (m, n) = a (m, k) · b.
 *
 * @param type of b, as GGUF names it
 * @param transposed whether b has the shape (n, k), else (k, n)
 * @param copies of b, which are multiplied in turn
 * @param a F32, row-major
 * @param b blocks of the type, row-major
 * @param model a file in which the bench wrote the same product for this library; may be empty
 */
record Job(
    String type,
    int m,
    int n,
    int k,
    boolean transposed,
    int copies,
    int threads,
    MemorySegment a,
    MemorySegment b,
    String model) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Reads a request; data stay mapped. */
  static Job of(JsonObject request) throws IOException {
    return new Job(
        request.get("type").getAsString(),
        request.get("m").getAsInt(),
        request.get("n").getAsInt(),
        request.get("k").getAsInt(),
        request.get("transposed").getAsBoolean(),
        request.get("copies").getAsInt(),
        request.get("threads").getAsInt(),
        map(request.get("a").getAsString()),
        map(request.get("b").getAsString()),
        request.has("model") ? request.get("model").getAsString() : "");
  }

  private static MemorySegment map(String file) throws IOException {
    try (FileChannel channel = FileChannel.open(Path.of(file))) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.global());
    }
  }

  /** Returns all of a. */
  float[] aFloats() {
    return a.toArray(FLOAT);
  }

  /** Returns all of b, which is F32. */
  float[] bFloats() {
    return b.toArray(FLOAT);
  }
}
