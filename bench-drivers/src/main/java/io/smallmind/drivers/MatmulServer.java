package io.smallmind.drivers;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets a library multiply what requests ask for. */
final class MatmulServer {
  private final Multiplier multiplier;
  private @Nullable Multiplication multiplication;
  private int copies;
  private int turn;

  MatmulServer(Multiplier multiplier) {
    this.multiplier = multiplier;
  }

  /** Returns the requests that it answers: prepare, estimate, multiply (into a file), time. */
  Map<String, Requests.Handler> handlers() {
    return Map.of(
        "prepare", this::prepare,
        "estimate", this::estimate,
        "multiply", this::multiply,
        "time", this::time);
  }

  private JsonObject prepare(JsonObject request) throws Exception {
    Job job = Job.of(request);
    copies = job.copies();
    multiplication = multiplier.prepare(job);
    return new JsonObject();
  }

  private Multiplication prepared() {
    if (multiplication == null) {
      throw new IllegalStateException("nothing is prepared yet");
    }
    return multiplication;
  }

  private JsonObject estimate(JsonObject request) throws Exception {
    JsonObject answer = new JsonObject();
    answer.addProperty("nanos", prepared().estimateNanos());
    return answer;
  }

  private JsonObject multiply(JsonObject request) throws Exception {
    prepared().call(copies - 1);
    write(prepared().result(), Path.of(request.get("y").getAsString()));
    return new JsonObject();
  }

  private static void write(float[] values, Path file) throws IOException {
    byte[] bytes = new byte[Math.multiplyExact(values.length, Float.BYTES)];
    MemorySegment.copy(
        values,
        0,
        MemorySegment.ofArray(bytes),
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
        0,
        values.length);
    Files.write(file, bytes);
  }

  private JsonObject time(JsonObject request) throws Exception {
    return Stopwatch.time(
        () -> {
          prepared().call(turn);
          turn = turn + 1 == copies ? 0 : turn + 1;
        },
        request.get("warmUpNanos").getAsLong(),
        request.get("sliceNanos").getAsLong());
  }
}
