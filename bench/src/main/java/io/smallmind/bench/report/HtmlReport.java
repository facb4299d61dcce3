package io.smallmind.bench.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Draws results as one HTML file that needs no network: Chart.js is inside. */
public final class HtmlReport {
  private static final String CHARTS =
      "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

  private HtmlReport() {}

  /**
   * Writes a page.
   *
   * @param results JSON files of the bench; the page links to them
   * @param notes reasons for rows that others win
   * @throws IOException if one can't be read, or the page not be written
   */
  public static void write(List<Path> results, Notes notes, Path page) throws IOException {
    JsonArray sources = new JsonArray();
    Path folder = page.toAbsolutePath().normalize().getParent();
    for (Path result : results) {
      JsonObject source = new JsonObject();
      Path absolute = result.toAbsolutePath().normalize();
      String link =
          folder != null && absolute.startsWith(folder)
              ? folder.relativize(absolute).toString().replace('\\', '/')
              : absolute.toUri().toString();
      source.addProperty("file", link);
      BenchReport report = JsonReport.read(result);
      source.add("report", JsonParser.parseString(JsonReport.write(report)));
      source.add("wins", wins(report, notes));
      sources.add(source);
    }
    // Neither a name nor a message may end the script that it stands in.
    String data = sources.toString().replace("<", "\\u003c");
    String html =
        resource("report.html")
            .replace("/*CSS*/", resource("report.css"))
            .replace("/*REPORT_JS*/", resource("report.js"))
            .replace("/*CHART_JS*/", resource(CHARTS).replace("</script", "<\\/script"))
            .replace("/*DATA*/", data);
    Files.writeString(page, html, StandardCharsets.UTF_8);
  }

  /** Returns the ids of rows that others win, with the reason. */
  private static JsonObject wins(BenchReport report, Notes notes) {
    JsonObject wins = new JsonObject();
    for (Winners.Win win : Winners.of(report.results())) {
      JsonObject one = new JsonObject();
      one.addProperty("ratio", win.ratio());
      one.addProperty("ours", win.ours().variant());
      one.addProperty("why", notes.why(win.row()));
      wins.add(win.row().id(), one);
    }
    return wins;
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream = HtmlReport.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IOException("the bench lacks its own resource " + name);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
