package io.smallmind.bench.rivals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A process that multiplies matrices. It times itself. Not thread-safe. */
public final class MatmulEngine implements RivalEngine {
  private final LineProcess process;

  private MatmulEngine(LineProcess process) {
    this.process = process;
  }

  /**
   * Lets a process prepare a product.
   *
   * @param more that its driver must know
   * @throws IOException if it can't; the process is closed then
   */
  static MatmulEngine prepare(
      LineProcess process, MatmulRival.Product product, int threads, Map<String, Object> more)
      throws IOException {
    Map<String, Object> request = new LinkedHashMap<>(more);
    request.put("op", "prepare");
    request.put("type", product.type().name());
    request.put("m", product.m());
    request.put("n", product.n());
    request.put("k", product.k());
    request.put("transposed", product.transposed());
    request.put("copies", product.copies());
    request.put("threads", threads);
    request.put("a", product.a().toString());
    request.put("b", product.b().toString());
    try {
      process.ask(request);
    } catch (IOException e) {
      process.close();
      throw e;
    }
    return new MatmulEngine(process);
  }

  /** Returns about how long a call takes, in nanoseconds; 0 if it is surely short. */
  public double estimateNanos() throws IOException {
    return process.ask(Map.of("op", "estimate")).get("nanos").getAsDouble();
  }

  /** Multiplies with the last copy and writes the result as F32 numbers. */
  public void multiply(Path y) throws IOException {
    process.ask(Map.of("op", "multiply", "y", y.toString()));
  }

  /**
   * Multiplies for some time, at least once.
   *
   * @param warmUpNanos that it does so before, uncounted
   * @return nanoseconds of each call
   */
  public double[] time(long warmUpNanos, long sliceNanos) throws IOException {
    JsonObject answer =
        process.ask(Map.of("op", "time", "warmUpNanos", warmUpNanos, "sliceNanos", sliceNanos));
    JsonArray nanos = answer.getAsJsonArray("nanos");
    double[] all = new double[nanos.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = nanos.get(i).getAsDouble();
    }
    return all;
  }

  @Override
  public void close() {
    process.close();
  }
}
