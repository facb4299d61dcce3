package io.smallmind.bench.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.smallmind.bench.measure.Role;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Reads and writes reports as JSON. */
public final class JsonReport {
  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeNulls().create();

  private JsonReport() {}

  /**
   * Reads a report.
   *
   * @throws IOException if it can't be read
   * @throws JsonParseException if it is no report, or of another version
   */
  public static BenchReport read(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.UTF_8);
    JsonElement json = JsonParser.parseString(text);
    if (!json.isJsonObject()
        || !json.getAsJsonObject().has("schema")
        || !BenchReport.SCHEMA.equals(json.getAsJsonObject().get("schema").getAsString())) {
      throw new JsonParseException("it does not say that it is of the schema smallmind-bench");
    }
    BenchReport report = GSON.fromJson(json, BenchReport.class);
    if (report.schemaVersion() != BenchReport.SCHEMA_VERSION) {
      throw new JsonParseException(
          "it has version "
              + report.schemaVersion()
              + "; this bench reads version "
              + BenchReport.SCHEMA_VERSION
              + ": measure anew");
    }
    List<String> roles =
        Stream.of(Role.values()).map(role -> role.name().toLowerCase(Locale.ROOT)).toList();
    for (BenchReport.ResultRow row : report.results()) {
      if (row.role() == null || !roles.contains(row.role())) {
        throw new JsonParseException(
            "the role of " + row.id() + " is " + row.role() + ", not one of " + roles);
      }
    }
    return report;
  }

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
