package io.smallmind.bench.work;

import io.smallmind.bench.measure.Checker;
import io.smallmind.bench.measure.Verdict;
import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A product's inputs as files, for other processes, and some of its outputs, to check theirs. */
final class RivalData implements AutoCloseable {
  /** Few outputs are compared: their error may be so many times as large as it is on average. */
  private static final double ROOM = 2;

  /** One output, exact, and what the F32 sum of it may be off by. */
  private record Sample(long row, long column, double expected, double tolerance) {}

  private final Path folder;
  private final MatmulRival.Product product;
  private final List<Sample> samples;

  private RivalData(Path folder, MatmulRival.Product product, List<Sample> samples) {
    this.folder = folder;
    this.product = product;
    this.samples = samples;
  }

  static RivalData ofGemm(GemmData data) {
    List<Sample> samples = new ArrayList<>();
    double[] column = new double[Math.toIntExact(data.k())];
    for (long[] at : MatmulReference.places(data.m(), data.n())) {
      for (int i = 0; i < column.length; i++) {
        column[i] = MatmulReference.at(data.b().segment(), i * data.n() + at[1]);
      }
      samples.add(sample(data.a().segment(), at, column));
    }
    return create(
        data.a().segment(),
        data.b().segment(),
        samples,
        (a, b) ->
            new MatmulRival.Product(TensorType.F32, data.m(), data.n(), data.k(), false, 1, a, b));
  }

  static RivalData ofMatmul(MemorySegment x, long rows, Weights weights) {
    Matrix stored = weights.stored().getFirst();
    List<Sample> samples = new ArrayList<>();
    float[] decoded = new float[Math.toIntExact(weights.columns())];
    double[] row = new double[decoded.length];
    for (long[] at : MatmulReference.places(rows, weights.rows())) {
      weights
          .type()
          .codec()
          .decode(stored.segment(), stored.rowOffset(at[1]), decoded, 0, row.length);
      for (int i = 0; i < row.length; i++) {
        row[i] = decoded[i];
      }
      samples.add(sample(x, at, row));
    }
    return create(
        x,
        stored.segment().asSlice(0, weights.bytes()),
        samples,
        (a, b) ->
            new MatmulRival.Product(
                weights.type(),
                rows,
                weights.rows(),
                weights.columns(),
                true,
                weights.matrices().size(),
                a,
                b));
  }

  private static Sample sample(MemorySegment a, long[] at, double[] b) {
    double sum = 0;
    double magnitude = 0;
    for (int i = 0; i < b.length; i++) {
      double part = MatmulReference.at(a, at[0] * b.length + i) * b[i];
      sum += part;
      magnitude += Math.abs(part);
    }
    // A weight may be split into a step times an integer and an offset: each counts in full.
    return new Sample(at[0], at[1], sum, 2 * MatmulReference.tolerance(b.length, magnitude));
  }

  /** Makes the product that reads files. */
  private interface ProductOfFiles {
    MatmulRival.Product of(Path a, Path b);
  }

  private static RivalData create(
      MemorySegment a, MemorySegment b, List<Sample> samples, ProductOfFiles product) {
    try {
      Path folder = Files.createTempDirectory("smallmind-bench");
      Path aFile = write(folder.resolve("a"), a);
      Path bFile = write(folder.resolve("b"), b);
      return new RivalData(folder, product.of(aFile, bFile), samples);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path write(Path file, MemorySegment data) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
      channel.map(FileChannel.MapMode.READ_WRITE, 0, data.byteSize(), arena).copyFrom(data);
    }
    return file;
  }

  MatmulRival.Product product() {
    return product;
  }

  /** Returns a file for an output. */
  Path output() {
    return folder.resolve("y");
  }

  /**
   * Checks the output that was written.
   *
   * @param noise see {@link MatmulRival#noise}
   */
  Verdict check(double noise) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(output())) {
      long bytes = product.m() * product.n() * Float.BYTES;
      if (channel.size() != bytes) {
        throw new IOException("its result has " + channel.size() + " bytes, not " + bytes);
      }
      MemorySegment y = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
      return noise == 0 ? checkEach(y) : checkTogether(y, noise);
    } finally {
      Files.deleteIfExists(output());
    }
  }

  private float actual(MemorySegment y, Sample sample) {
    return MatmulReference.at(y, sample.row * product.n() + sample.column);
  }

  private Verdict checkEach(MemorySegment y) {
    Checker checker = new Checker();
    for (Sample sample : samples) {
      checker.check(
          "output [" + sample.row + "][" + sample.column + "]",
          actual(y, sample),
          sample.expected,
          sample.tolerance);
    }
    return checker.verdict();
  }

  private Verdict checkTogether(MemorySegment y, double noise) {
    double error = 0;
    double size = 0;
    for (Sample sample : samples) {
      double difference = actual(y, sample) - sample.expected;
      error += difference * difference;
      size += sample.expected * sample.expected;
    }
    double relative = Math.sqrt(error / size);
    double share = relative / (ROOM * noise);
    return new Verdict(
        samples.size(),
        Double.isNaN(share) ? Double.MAX_VALUE : share,
        share <= 1
            ? ""
            : String.format(
                Locale.ROOT,
                "outputs are off by %.2g of their size; %.2g is right",
                relative,
                ROOM * noise));
  }

  /** Deletes all files, also those that adapters made of them. */
  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
