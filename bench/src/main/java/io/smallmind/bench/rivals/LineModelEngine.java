package io.smallmind.bench.rivals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A process that runs a model and is asked line by line. Not thread-safe.
 *
 * @param loadNanos how long it loaded; 0 if it does not tell
 */
record LineModelEngine(LineProcess process, long loadNanos) implements ModelEngine {
  /**
   * Lets a process load a model.
   *
   * @param model in the form that it reads
   * @throws IOException if it can't; the process is closed then
   */
  static ModelEngine load(LineProcess process, Path model, ModelRival.Setup setup)
      throws IOException {
    return load(process, model, setup, Map.of());
  }

  /**
   * Lets a process load a model.
   *
   * @param more that its driver must know
   */
  static ModelEngine load(
      LineProcess process, Path model, ModelRival.Setup setup, Map<String, Object> more)
      throws IOException {
    Map<String, Object> request = new LinkedHashMap<>(more);
    request.put("op", "load");
    request.put("model", model.toAbsolutePath().toString());
    request.put("threads", setup.threads());
    request.put("sessions", setup.sessions());
    request.put("capacity", setup.capacity());
    request.put("batchRows", Math.max(setup.batchRows(), setup.sessions()));
    request.put("cacheType", setup.cacheType());
    try {
      JsonObject answer = process.ask(request);
      return new LineModelEngine(
          process, answer.has("nanos") ? answer.get("nanos").getAsLong() : 0);
    } catch (IOException e) {
      process.close();
      throw e;
    }
  }

  @Override
  public long[] prefill(int[] tokens, int depth) throws IOException {
    return nanos(process.ask(Map.of("op", "prefill", "tokens", tokens, "depth", depth)));
  }

  @Override
  public long[] decode(int[] tokens, int depth) throws IOException {
    return nanos(process.ask(Map.of("op", "decode", "tokens", tokens, "depth", depth)));
  }

  private static long[] nanos(JsonObject answer) {
    JsonArray nanos = answer.getAsJsonArray("nanos");
    long[] all = new long[nanos.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = nanos.get(i).getAsLong();
    }
    return all;
  }

  @Override
  public float[] scores(int[] tokens, int count) throws IOException {
    JsonArray scores =
        process
            .ask(Map.of("op", "scores", "tokens", tokens, "count", count))
            .getAsJsonArray("scores");
    float[] all = new float[scores.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = scores.get(i).getAsFloat();
    }
    return all;
  }

  @Override
  public void close() {
    process.close();
  }
}
