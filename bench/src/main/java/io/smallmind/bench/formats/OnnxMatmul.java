package io.smallmind.bench.formats;

import io.smallmind.bench.rivals.MatmulRival;
import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes models of one node: a product with constant weights. */
public final class OnnxMatmul {
  /** The accuracy level at which ONNX Runtime rounds activations to 8 bits, block by block. */
  private static final int INT8_ACTIVATIONS = 4;

  private OnnxMatmul() {}

  /** Returns whether there is an operator for weights of a type. */
  public static boolean supports(TensorType type) {
    return type == TensorType.F32 || PackedBits.of(type) > 0;
  }

  /**
   * Writes y (m, n) = a (m, k) · b beside the product's files.
   *
   * @return the model's file; its input is called a, its output y
   */
  public static Path write(MatmulRival.Product product) throws IOException {
    OnnxModel model =
        new OnnxModel()
            .input("a", OnnxModel.Type.FLOAT, product.m(), product.k())
            .output("y", OnnxModel.Type.FLOAT, product.m(), product.n());
    if (product.type() == TensorType.F32) {
      floats(model, product);
    } else {
      Path packed = product.b().resolveSibling("packed");
      if (!Files.exists(packed)) {
        PackedBits.convert(product.b(), product.type(), packed);
      }
      bits(model, "b", PackedBits.of(product.type()), product.n(), product.k(), "packed", 0);
      multiplyBits(model, "a", "b", "y", PackedBits.of(product.type()), product.n(), product.k());
    }
    Path file = product.b().resolveSibling("model.onnx");
    Files.write(file, model.toBytes());
    return file;
  }

  private static void floats(OnnxModel model, MatmulRival.Product product) {
    String file = String.valueOf(product.b().getFileName());
    if (product.transposed()) {
      model.weights("b", OnnxModel.Type.FLOAT, file, 0, product.n(), product.k());
      model.node("", "Gemm", List.of("a", "b"), List.of("y"), Map.of("transB", 1));
    } else {
      model.weights("b", OnnxModel.Type.FLOAT, file, 0, product.k(), product.n());
      model.node("", "MatMul", List.of("a", "b"), List.of("y"), Map.of());
    }
  }

  /** Adds weights (n, k) that {@link PackedBits} wrote into a file. */
  static void bits(
      OnnxModel model, String name, int bits, long n, long k, String file, long offset) {
    long blocks = k / 32;
    model.weights(name, OnnxModel.Type.UINT8, file, offset, n, blocks, 32L * bits / 8);
    model.weights(
        name + ".scales",
        OnnxModel.Type.FLOAT,
        file,
        offset + PackedBits.integerBytes(bits, n * k),
        n,
        blocks);
  }

  /** Multiplies with such weights. */
  static void multiplyBits(
      OnnxModel model, String input, String weights, String output, int bits, long n, long k) {
    model.node(
        OnnxModel.MICROSOFT,
        "MatMulNBits",
        List.of(input, weights, weights + ".scales"),
        List.of(output),
        Map.of("K", k, "N", n, "bits", bits, "block_size", 32, "accuracy_level", INT8_ACTIVATIONS));
  }
}
