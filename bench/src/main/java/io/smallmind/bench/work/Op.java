package io.smallmind.bench.work;

import io.smallmind.kernels.BinaryOp;
import io.smallmind.kernels.UnaryOp;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The operations besides matmul: what they read and write, for each element, and compute. */
public enum Op {
  /** a + b. */
  ADD("add", 12, 1),
  /** a · b. */
  MULTIPLY("multiply", 12, 1),
  /** A factor times every value. */
  SCALE("scale", 8, 1),
  /** The sum of products. */
  DOT("dot", 8, 2),
  /** max(x, 0). */
  RELU("relu", 8, 1),
  /** GELU by tanh. */
  GELU("gelu", 8, 12),
  /** GELU by erf. */
  GELU_ERF("gelu-erf", 8, 16),
  /** x · sigmoid(x). */
  SILU("silu", 8, 10),
  /** 1 / (1 + exp(−x)). */
  SIGMOID("sigmoid", 8, 9),
  /** tanh(x). */
  TANH("tanh", 8, 10),
  /** exp(x − max) over its sum, row by row. */
  SOFTMAX("softmax", 8, 10),
  /** Normalizing to mean 0 and variance 1, row by row. */
  LAYER_NORM("layerNorm", 8, 7),
  /** Normalizing to mean square 1, row by row. */
  RMS_NORM("rmsNorm", 8, 4),
  /** Rotation by position, in place. */
  ROPE("rope", 8, 3),
  /** To 8 bits with a scale for each block. */
  QUANTIZE("quantize", 5.125, 4);

  private final String title;
  private final double bytes;
  private final double operations;

  Op(String title, double bytes, double operations) {
    this.title = title;
    this.bytes = bytes;
    this.operations = operations;
  }

  /** Returns the name by which a person chooses it. */
  public String title() {
    return title;
  }

  /** Returns the bytes read and written for each element, every array counted once. */
  public double bytes() {
    return bytes;
  }

  /** Returns the operations for each element, an exponential counted as 6: a rough figure. */
  public double operations() {
    return operations;
  }

  /** Tells whether it works on whole rows. */
  public boolean isRowWise() {
    return switch (this) {
      case SOFTMAX, LAYER_NORM, RMS_NORM, QUANTIZE, ROPE -> true;
      default -> false;
    };
  }

  /** Tells whether it writes next to nothing. */
  boolean isReading() {
    return this == DOT;
  }

  @Nullable BinaryOp binary() {
    return switch (this) {
      case ADD -> BinaryOp.ADD;
      case MULTIPLY -> BinaryOp.MULTIPLY;
      default -> null;
    };
  }

  @Nullable UnaryOp unary() {
    return switch (this) {
      case RELU -> UnaryOp.RELU;
      case GELU -> UnaryOp.GELU_TANH;
      case GELU_ERF -> UnaryOp.GELU_ERF;
      case SILU -> UnaryOp.SILU;
      case SIGMOID -> UnaryOp.SIGMOID;
      case TANH -> UnaryOp.TANH;
      default -> null;
    };
  }

  /** Returns the operation of this name, or null. */
  public static @Nullable Op byTitle(String title) {
    String wanted = title.toLowerCase(Locale.ROOT);
    for (Op op : values()) {
      if (op.title.toLowerCase(Locale.ROOT).equals(wanted)) {
        return op;
      }
    }
    return null;
  }

  /** Returns all names, separated by commas. */
  public static String titles() {
    return Arrays.stream(values()).map(Op::title).collect(Collectors.joining(", "));
  }
}
