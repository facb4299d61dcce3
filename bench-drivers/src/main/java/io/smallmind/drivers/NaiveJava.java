package io.smallmind.drivers;

import java.io.IOException;

/** Three loops in plain Java. */
final class NaiveJava {
  private NaiveJava() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(JavaLoops.driver(NaiveJava::multiply, NaiveJava::multiplyTransposed))
            .handlers());
  }

  static void multiply(
      float[] a, float[] b, float[] y, int n, int k, int row, int rows, int column, int columns) {
    for (int i = row; i < rows; i++) {
      for (int j = column; j < columns; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a[i * k + p] * b[p * n + j];
        }
        y[i * n + j] = sum;
      }
    }
  }

  static void multiplyTransposed(
      float[] a, float[] b, float[] y, int n, int k, int row, int rows, int column, int columns) {
    for (int i = row; i < rows; i++) {
      for (int j = column; j < columns; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a[i * k + p] * b[j * k + p];
        }
        y[i * n + j] = sum;
      }
    }
  }
}
