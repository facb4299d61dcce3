package io.smallmind.bench.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads and writes reports as JSON. */
public final class JsonReport {
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create();

  private JsonReport() {}

  /** Returns a report as JSON. */
  public static String write(BenchReport report) {
    return GSON.toJson(report) + "\n";
  }

  /**
   * Writes a report into a file.
   *
   * @throws IOException if it can't be written
   */
  public static void write(BenchReport report, Path file) throws IOException {
    Files.writeString(file, write(report), StandardCharsets.UTF_8);
  }
}
