package io.smallmind.drivers;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets a library run a model as requests ask. */
final class ModelServer {
  private final Decoder.Loader loader;
  private @Nullable Decoder decoder;
  private int batchRows;
  private int held;

  ModelServer(Decoder.Loader loader) {
    this.loader = loader;
  }

  /** Returns the requests that it answers: load, prefill, decode, scores. */
  Map<String, Requests.Handler> handlers() {
    return Map.of(
        "load", this::load,
        "prefill", this::prefill,
        "decode", this::decode,
        "scores", this::scores);
  }

  private JsonObject load(JsonObject request) throws Exception {
    if (request.get("sessions").getAsInt() > 1) {
      throw new IllegalArgumentException("it runs one session at a time");
    }
    batchRows = request.get("batchRows").getAsInt();
    decoder = loader.load(request);
    return new JsonObject();
  }

  private float[] read(int[] tokens, int position) throws Exception {
    if (decoder == null) {
      throw new IllegalStateException("no model is loaded yet");
    }
    float[] scores = {};
    for (int begin = 0; begin < tokens.length; begin += batchRows) {
      int end = Math.min(tokens.length, begin + batchRows);
      scores = decoder.read(Arrays.copyOfRange(tokens, begin, end), position + begin);
    }
    held = position + tokens.length;
    return scores;
  }

  /** Sees to it that the context is so long at least. */
  private void fill(int depth) throws Exception {
    if (held < depth) {
      int[] filler = new int[depth - held];
      Arrays.setAll(filler, i -> (i * 7919 + 13) % 251);
      read(filler, held);
    }
  }

  private JsonObject prefill(JsonObject request) throws Exception {
    int depth = request.get("depth").getAsInt();
    int[] tokens = tokens(request);
    fill(depth);
    JsonArray nanos = new JsonArray();
    long begin = System.nanoTime();
    read(tokens, depth);
    nanos.add(System.nanoTime() - begin);
    return nanos(nanos);
  }

  private JsonObject decode(JsonObject request) throws Exception {
    int depth = request.get("depth").getAsInt();
    int[] tokens = tokens(request);
    fill(depth);
    JsonArray nanos = new JsonArray();
    for (int i = 0; i < tokens.length; i++) {
      long begin = System.nanoTime();
      read(new int[] {tokens[i]}, depth + i);
      nanos.add(System.nanoTime() - begin);
    }
    return nanos(nanos);
  }

  private static JsonObject nanos(JsonArray nanos) {
    JsonObject answer = new JsonObject();
    answer.add("nanos", nanos);
    return answer;
  }

  private JsonObject scores(JsonObject request) throws Exception {
    float[] all = read(tokens(request), 0);
    held = 0;
    JsonArray scores = new JsonArray();
    for (int i = 0; i < request.get("count").getAsInt(); i++) {
      scores.add(all[i]);
    }
    JsonObject answer = new JsonObject();
    answer.add("scores", scores);
    return answer;
  }

  private static int[] tokens(JsonObject request) {
    return request.getAsJsonArray("tokens").asList().stream()
        .mapToInt(JsonElement::getAsInt)
        .toArray();
  }
}
