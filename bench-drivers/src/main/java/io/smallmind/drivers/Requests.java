package io.smallmind.drivers;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Answers requests: one JSON object per line on standard input, one per line on standard output. A
 * request names its handler as {@code op}; what a handler throws is answered as {@code error}.
 */
final class Requests {
  private Requests() {}

  /** Answers one kind of request. */
  @FunctionalInterface
  interface Handler {
    JsonObject answer(JsonObject request) throws Exception;
  }

  /** Answers until there are no more requests; whatever else is printed goes to standard error. */
  @SafeVarargs
  static void serve(Map<String, Handler>... handlers) throws IOException {
    Map<String, Handler> all = new HashMap<>();
    for (Map<String, Handler> some : handlers) {
      all.putAll(some);
    }
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    BufferedReader requests =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      answers.println(answer(all, line));
    }
    System.exit(0); // Threads of libraries may not end by themselves.
  }

  @SuppressWarnings("CatchAndPrintStackTrace") // Standard error is kept by who reads the answers.
  private static JsonObject answer(Map<String, Handler> handlers, String line) {
    try {
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      String name = request.get("op").getAsString();
      @Nullable Handler handler = handlers.get(name);
      if (handler == null) {
        throw new IllegalArgumentException("this driver can't " + name);
      }
      return handler.answer(request);
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      e.printStackTrace();
      JsonObject error = new JsonObject();
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      error.addProperty("error", e.getClass().getSimpleName() + ": " + message);
      return error;
    }
  }
}
