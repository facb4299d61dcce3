package io.smallmind.bench.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a person wrote for a page of results, in a Markdown file of its own, so that it outlives the
 * figures: an introduction, and below the heading {@value #HEADING} lines like {@code -
 * `gemm/F32/*}{@code /MKL/*`: its reason}, in which {@code *} stands for any part of a row's id.
 *
 * @param introduction Markdown, a title first; empty without
 */
public record Notes(String introduction, List<Reason> reasons) {
  private static final String HEADING = "## Why others win";
  private static final Pattern REASON = Pattern.compile("- `([^`]+)`: (.+)");

  /** None. */
  public static final Notes NONE = new Notes("", List.of());

  /**
   * Why somebody else wins.
   *
   * @param rows pattern of rows' ids
   */
  public record Reason(String rows, String text) {
    boolean isOf(BenchReport.ResultRow row) {
      StringBuilder pattern = new StringBuilder();
      for (String part : rows.split("\\*", -1)) {
        pattern.append(pattern.isEmpty() ? "" : ".*").append(Pattern.quote(part));
      }
      return row.id().matches(pattern.toString());
    }
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it can't be read
   */
  public static Notes read(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.UTF_8);
    int heading = text.indexOf("\n" + HEADING + "\n");
    if (heading < 0) {
      return new Notes(text.strip(), List.of());
    }
    List<Reason> reasons = new ArrayList<>();
    for (String line : text.substring(heading).lines().toList()) {
      Matcher matcher = REASON.matcher(line.strip());
      if (matcher.matches()) {
        reasons.add(new Reason(matcher.group(1), matcher.group(2)));
      }
    }
    return new Notes(text.substring(0, heading).strip(), List.copyOf(reasons));
  }

  /**
   * Returns why a row is faster than ours, as the first line that fits says; empty if none does.
   */
  public String why(BenchReport.ResultRow row) {
    return reasons.stream()
        .filter(reason -> reason.isOf(row))
        .map(Reason::text)
        .findFirst()
        .orElse("");
  }
}
