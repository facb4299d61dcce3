import org.jspecify.annotations.NullMarked;

/** Measures the backends of {@code io.smallmind} side by side; run, not called. */
@NullMarked
module io.smallmind.bench {
  requires com.google.gson;
  requires info.picocli;
  requires io.smallmind;
  requires io.smallmind.presets;
  requires jdk.management;
  requires jmh.core;
  requires HdrHistogram;
  requires org.bytedeco.javacpp;
  requires org.bytedeco.openblas;
  requires static jdk.incubator.vector;
  requires static org.jspecify;

  opens io.smallmind.bench to
      info.picocli;
  opens io.smallmind.bench.host to
      com.google.gson;
  opens io.smallmind.bench.measure to
      com.google.gson;
  opens io.smallmind.bench.report to
      com.google.gson;
}
