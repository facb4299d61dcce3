package io.smallmind.drivers;

import java.io.IOException;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The straightforward loops over the Vector API. */
final class PlainVectors {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  private PlainVectors() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(JavaLoops.driver(PlainVectors::multiply, PlainVectors::multiplyTransposed))
            .handlers());
  }

  /** Adds a multiple of each row of b to a row of y. */
  static void multiply(
      float[] a, float[] b, float[] y, int n, int k, int row, int rows, int column, int columns) {
    for (int i = row; i < rows; i++) {
      Arrays.fill(y, i * n + column, i * n + columns, 0);
      for (int p = 0; p < k; p++) {
        addMultiple(a[i * k + p], b, p * n, y, i * n, column, columns);
      }
    }
  }

  private static void addMultiple(
      float factor, float[] b, int bRow, float[] y, int yRow, int column, int columns) {
    FloatVector factors = FloatVector.broadcast(SPECIES, factor);
    int j = column;
    for (; j <= columns - SPECIES.length(); j += SPECIES.length()) {
      FloatVector sum = FloatVector.fromArray(SPECIES, y, yRow + j);
      FloatVector.fromArray(SPECIES, b, bRow + j).fma(factors, sum).intoArray(y, yRow + j);
    }
    for (; j < columns; j++) {
      y[yRow + j] += factor * b[bRow + j];
    }
  }

  /** A dot product for each output. */
  static void multiplyTransposed(
      float[] a, float[] b, float[] y, int n, int k, int row, int rows, int column, int columns) {
    for (int i = row; i < rows; i++) {
      for (int j = column; j < columns; j++) {
        y[i * n + j] = dot(a, i * k, b, j * k, k);
      }
    }
  }

  private static float dot(float[] a, int aRow, float[] b, int bRow, int k) {
    FloatVector sums = FloatVector.zero(SPECIES);
    int p = 0;
    for (; p <= k - SPECIES.length(); p += SPECIES.length()) {
      FloatVector x = FloatVector.fromArray(SPECIES, a, aRow + p);
      sums = x.fma(FloatVector.fromArray(SPECIES, b, bRow + p), sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; p < k; p++) {
      sum += a[aRow + p] * b[bRow + p];
    }
    return sum;
  }
}
