package io.smallmind.training;

/**
 * The operations in double precision, each a plain transcription of its formula with its gradients:
 * the specification of those that train. Inputs are row-major; gradients come in the inputs' order.
 */
final class DoubleOps {
  /** An operation of several inputs. */
  interface Twin {
    double[] forward(double[]... in);

    /** Returns the gradient of each input. */
    double[][] backward(double[] dy, double[]... in);
  }

  private DoubleOps() {}

  /** y = x · Wᵀ + b of x (rows, k), W (n, k), b (n). */
  record Matmul(int rows, int n, int k) implements Twin {
    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[rows * n];
      for (int r = 0; r < rows; r++) {
        for (int j = 0; j < n; j++) {
          double sum = in[2][j];
          for (int i = 0; i < k; i++) {
            sum += in[0][r * k + i] * in[1][j * k + i];
          }
          y[r * n + j] = sum;
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[rows * k];
      double[] dw = new double[n * k];
      double[] db = new double[n];
      for (int r = 0; r < rows; r++) {
        for (int j = 0; j < n; j++) {
          double g = dy[r * n + j];
          db[j] += g;
          for (int i = 0; i < k; i++) {
            dx[r * k + i] += g * in[1][j * k + i];
            dw[j * k + i] += g * in[0][r * k + i];
          }
        }
      }
      return new double[][] {dx, dw, db};
    }
  }

  /** Root mean square norm of x (rows, n) with weights (n). */
  record RmsNorm(int rows, int n, double epsilon) implements Twin {
    private double factor(double[] x, int row) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += x[row * n + i] * x[row * n + i];
      }
      return 1 / Math.sqrt(sum / n + epsilon);
    }

    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[rows * n];
      for (int r = 0; r < rows; r++) {
        double factor = factor(in[0], r);
        for (int i = 0; i < n; i++) {
          y[r * n + i] = in[0][r * n + i] * factor * in[1][i];
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[rows * n];
      double[] dw = new double[n];
      for (int r = 0; r < rows; r++) {
        double f = factor(in[0], r);
        double dot = 0;
        for (int i = 0; i < n; i++) {
          dot += dy[r * n + i] * in[1][i] * in[0][r * n + i];
          dw[i] += dy[r * n + i] * in[0][r * n + i] * f;
        }
        for (int i = 0; i < n; i++) {
          dx[r * n + i] = f * in[1][i] * dy[r * n + i] - in[0][r * n + i] * f * f * f * dot / n;
        }
      }
      return new double[][] {dx, dw};
    }
  }

  /** Layer norm of x (rows, n) with weights (n) and biases (n). */
  record LayerNorm(int rows, int n, double epsilon) implements Twin {
    /** Returns (x − mean) · r of a row, and r behind it. */
    private double[] normalized(double[] x, int row) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < n; i++) {
        mean += x[row * n + i] / n;
      }
      for (int i = 0; i < n; i++) {
        variance += Math.pow(x[row * n + i] - mean, 2) / n;
      }
      double[] result = new double[n + 1];
      result[n] = 1 / Math.sqrt(variance + epsilon);
      for (int i = 0; i < n; i++) {
        result[i] = (x[row * n + i] - mean) * result[n];
      }
      return result;
    }

    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[rows * n];
      for (int r = 0; r < rows; r++) {
        double[] normalized = normalized(in[0], r);
        for (int i = 0; i < n; i++) {
          y[r * n + i] = normalized[i] * in[1][i] + in[2][i];
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[rows * n];
      double[] dw = new double[n];
      double[] db = new double[n];
      for (int r = 0; r < rows; r++) {
        double[] normalized = normalized(in[0], r);
        double mean = 0;
        double slope = 0;
        for (int i = 0; i < n; i++) {
          double g = dy[r * n + i] * in[1][i];
          mean += g / n;
          slope += g * normalized[i] / n;
          dw[i] += dy[r * n + i] * normalized[i];
          db[i] += dy[r * n + i];
        }
        for (int i = 0; i < n; i++) {
          double g = dy[r * n + i] * in[1][i];
          dx[r * n + i] = normalized[n] * (g - mean - normalized[i] * slope);
        }
      }
      return new double[][] {dx, dw, db};
    }
  }

  /** Turns the first heads of x (rows, columns), adjacent pairs, by the place in the window. */
  record Rope(int rows, int columns, int heads, int headDim, int context, double base)
      implements Twin {
    private double[] turn(double[] x, double sign) {
      double[] y = x.clone();
      for (int r = 0; r < rows; r++) {
        for (int head = 0; head < heads; head++) {
          for (int pair = 0; pair < headDim / 2; pair++) {
            double angle = sign * (r % context) * Math.pow(base, -2.0 * pair / headDim);
            int at = r * columns + head * headDim + 2 * pair;
            y[at] = x[at] * Math.cos(angle) - x[at + 1] * Math.sin(angle);
            y[at + 1] = x[at] * Math.sin(angle) + x[at + 1] * Math.cos(angle);
          }
        }
      }
      return y;
    }

    @Override
    public double[] forward(double[]... in) {
      return turn(in[0], 1);
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      return new double[][] {turn(dy, -1)};
    }
  }

  /** Causal attention of x (rows, (heads + 2 kvHeads) · headDim) within windows. */
  record Attention(int rows, int context, int heads, int kvHeads, int headDim) implements Twin {
    private int columns() {
      return (heads + 2 * kvHeads) * headDim;
    }

    private int q(int row, int head) {
      return row * columns() + head * headDim;
    }

    private int k(int row, int head) {
      return row * columns() + (heads + head * kvHeads / heads) * headDim;
    }

    private int v(int row, int head) {
      return k(row, head) + kvHeads * headDim;
    }

    /** Returns what a row takes of each row of its window up to itself. */
    private double[] probabilities(double[] x, int row, int head) {
      int first = row / context * context;
      double[] p = new double[row - first + 1];
      double sum = 0;
      for (int key = first; key <= row; key++) {
        double score = 0;
        for (int i = 0; i < headDim; i++) {
          score += x[q(row, head) + i] * x[k(key, head) + i];
        }
        p[key - first] = Math.exp(score / Math.sqrt(headDim));
        sum += p[key - first];
      }
      for (int i = 0; i < p.length; i++) {
        p[i] /= sum;
      }
      return p;
    }

    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[rows * heads * headDim];
      for (int row = 0; row < rows; row++) {
        int first = row / context * context;
        for (int head = 0; head < heads; head++) {
          double[] p = probabilities(in[0], row, head);
          for (int key = 0; key < p.length; key++) {
            for (int i = 0; i < headDim; i++) {
              y[(row * heads + head) * headDim + i] += p[key] * in[0][v(first + key, head) + i];
            }
          }
        }
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] x = in[0];
      double[] dx = new double[x.length];
      for (int row = 0; row < rows; row++) {
        for (int head = 0; head < heads; head++) {
          backward(dy, x, dx, row, head);
        }
      }
      return new double[][] {dx};
    }

    private void backward(double[] dy, double[] x, double[] dx, int row, int head) {
      int first = row / context * context;
      int out = (row * heads + head) * headDim;
      double[] p = probabilities(x, row, head);
      double[] dp = new double[p.length];
      double mean = 0;
      for (int key = 0; key < p.length; key++) {
        for (int i = 0; i < headDim; i++) {
          dp[key] += dy[out + i] * x[v(first + key, head) + i];
          dx[v(first + key, head) + i] += p[key] * dy[out + i];
        }
        mean += p[key] * dp[key];
      }
      for (int key = 0; key < p.length; key++) {
        double ds = p[key] * (dp[key] - mean) / Math.sqrt(headDim);
        for (int i = 0; i < headDim; i++) {
          dx[q(row, head) + i] += ds * x[k(first + key, head) + i];
          dx[k(first + key, head) + i] += ds * x[q(row, head) + i];
        }
      }
    }
  }

  /** GELU by its tanh formula, of n values. */
  record Gelu() implements Twin {
    private static final double ROOT = Math.sqrt(2 / Math.PI);

    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[in[0].length];
      for (int i = 0; i < y.length; i++) {
        double x = in[0][i];
        y[i] = x / 2 * (1 + Math.tanh(ROOT * (x + 0.044715 * x * x * x)));
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[dy.length];
      for (int i = 0; i < dx.length; i++) {
        double x = in[0][i];
        double t = Math.tanh(ROOT * (x + 0.044715 * x * x * x));
        double slope = ROOT * (1 + 3 * 0.044715 * x * x);
        dx[i] = dy[i] * ((1 + t) / 2 + x / 2 * (1 - t * t) * slope);
      }
      return new double[][] {dx};
    }
  }

  /** silu(gate) · up of x (rows, 2 · inner): gates, then ups. */
  record SwiGlu(int rows, int inner) implements Twin {
    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[rows * inner];
      for (int i = 0; i < y.length; i++) {
        double gate = in[0][i / inner * 2 * inner + i % inner];
        double up = in[0][i / inner * 2 * inner + inner + i % inner];
        y[i] = gate / (1 + Math.exp(-gate)) * up;
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[2 * dy.length];
      for (int i = 0; i < dy.length; i++) {
        int at = i / inner * 2 * inner + i % inner;
        double gate = in[0][at];
        double up = in[0][at + inner];
        double s = 1 / (1 + Math.exp(-gate));
        dx[at] = dy[i] * up * (s + gate * s * (1 - s));
        dx[at + inner] = dy[i] * gate * s;
      }
      return new double[][] {dx};
    }
  }

  /** x (n) times factors that are given: dropout, once it is known what falls. */
  record Dropout(double[] factors) implements Twin {
    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[factors.length];
      for (int i = 0; i < y.length; i++) {
        y[i] = in[0][i] * factors[i];
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      return new double[][] {forward(dy)};
    }
  }

  /** Rows of a table (vocabulary, n), and of positions (context, n). */
  record Embedding(int[] tokens, int context, int n) implements Twin {
    @Override
    public double[] forward(double[]... in) {
      double[] y = new double[tokens.length * n];
      for (int i = 0; i < y.length; i++) {
        y[i] = in[0][tokens[i / n] * n + i % n] + in[1][i / n % context * n + i % n];
      }
      return y;
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dtable = new double[in[0].length];
      double[] dpositions = new double[in[1].length];
      for (int i = 0; i < dy.length; i++) {
        dtable[tokens[i / n] * n + i % n] += dy[i];
        dpositions[i / n % context * n + i % n] += dy[i];
      }
      return new double[][] {dtable, dpositions};
    }
  }

  /** The mean surprise of targets under softmax of logits (rows, n): one value. */
  record CrossEntropy(int[] targets, int n) implements Twin {
    private double[] softmax(double[] x, int row) {
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        max = Math.max(max, x[row * n + i]);
      }
      double[] p = new double[n];
      double sum = 0;
      for (int i = 0; i < n; i++) {
        p[i] = Math.exp(x[row * n + i] - max);
        sum += p[i];
      }
      for (int i = 0; i < n; i++) {
        p[i] /= sum;
      }
      return p;
    }

    @Override
    public double[] forward(double[]... in) {
      double loss = 0;
      for (int row = 0; row < targets.length; row++) {
        loss -= Math.log(softmax(in[0], row)[targets[row]]) / targets.length;
      }
      return new double[] {loss};
    }

    @Override
    public double[][] backward(double[] dy, double[]... in) {
      double[] dx = new double[in[0].length];
      for (int row = 0; row < targets.length; row++) {
        double[] p = softmax(in[0], row);
        for (int i = 0; i < n; i++) {
          dx[row * n + i] = dy[0] * (p[i] - (i == targets[row] ? 1 : 0)) / targets.length;
        }
      }
      return new double[][] {dx};
    }
  }
}
