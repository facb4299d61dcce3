package io.smallmind.app;

import io.smallmind.training.History;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws how the losses fell. */
final class LossPicture {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 540;

  /** More points than pixels only take time. */
  private static final int MAX_POINTS = 1000;

  private LossPicture() {}

  /**
   * Writes a PNG file.
   *
   * @return what was in the way, or null if nothing was: a training is not lost with its picture
   */
  static @Nullable String write(History history, Path target) {
    try {
      System.setProperty("java.awt.headless", "true");
      BitmapEncoder.saveBitmap(chart(history), target.toString(), BitmapEncoder.BitmapFormat.PNG);
      return null;
    } catch (IOException | RuntimeException | LinkageError e) {
      return "no picture of the losses: " + e;
    }
  }

  private static XYChart chart(History history) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title("Loss")
            .xAxisTitle("step")
            .yAxisTitle("nats per token")
            .build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNE);
    addLosses(chart, history.losses());
    double[] steps = Arrays.stream(history.evaluationSteps()).asDoubleStream().toArray();
    if (steps.length > 0) {
      chart.addSeries("validation", steps, history.evaluations());
    }
    return chart;
  }

  /** Adds the losses of steps, each point the mean of as many as a pixel stands for. */
  private static void addLosses(XYChart chart, float[] losses) {
    int points = Math.min(MAX_POINTS, losses.length);
    if (points == 0) {
      return;
    }
    double[] x = new double[points];
    double[] y = new double[points];
    for (int point = 0; point < points; point++) {
      int begin = (int) ((long) losses.length * point / points);
      int end = (int) ((long) losses.length * (point + 1) / points);
      for (int i = begin; i < end; i++) {
        y[point] += losses[i] / (end - begin);
      }
      x[point] = (begin + 1 + end) / 2.0;
    }
    chart.addSeries("training", x, y).setMarker(SeriesMarkers.NONE);
  }
}
