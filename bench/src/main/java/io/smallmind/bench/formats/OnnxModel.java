package io.smallmind.bench.formats;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An ONNX model in the making: inputs, outputs, weights that stay in other files, and nodes in the
 * order in which they are computed. Numbers of fields are those of onnx.proto. Not thread-safe.
 */
public final class OnnxModel {
  /** Type of a tensor's elements. */
  public enum Type {
    /** 32-bit floating point. */
    FLOAT(1, Float.BYTES),
    /** Unsigned bytes. */
    UINT8(2, 1),
    /** 32-bit integers. */
    INT32(6, Integer.BYTES),
    /** 64-bit integers. */
    INT64(7, Long.BYTES);

    private final int id;
    private final int bytes;

    Type(int id, int bytes) {
      this.id = id;
      this.bytes = bytes;
    }
  }

  /** Operators of ONNX Runtime itself. */
  public static final String MICROSOFT = "com.microsoft";

  private static final int IR_VERSION = 8;
  private static final int OPSET = 18;
  private static final int ATTRIBUTE_FLOAT = 1;
  private static final int ATTRIBUTE_INT = 2;

  private final Protobuf graph = new Protobuf();
  private final List<Protobuf> inputs = new ArrayList<>();
  private final List<Protobuf> outputs = new ArrayList<>();
  private final List<Protobuf> weights = new ArrayList<>();

  /**
   * Adds an input.
   *
   * @param shape numbers, or names of lengths that differ from run to run
   */
  public OnnxModel input(String name, Type type, Object... shape) {
    inputs.add(value(name, type, shape));
    return this;
  }

  /** Adds an output; see {@link #input}. */
  public OnnxModel output(String name, Type type, Object... shape) {
    outputs.add(value(name, type, shape));
    return this;
  }

  private static Protobuf value(String name, Type type, Object... shape) {
    Protobuf dimensions = new Protobuf();
    for (Object length : shape) {
      Protobuf dimension = new Protobuf();
      dimensions.message(
          1,
          length instanceof Number number
              ? dimension.integer(1, number.longValue())
              : dimension.text(2, length.toString()));
    }
    Protobuf tensor = new Protobuf().integer(1, type.id).message(2, dimensions);
    return new Protobuf().text(1, name).message(2, new Protobuf().message(1, tensor));
  }

  /**
   * Adds weights that stay in a file beside the model's.
   *
   * @param offset of the first byte
   */
  public OnnxModel weights(String name, Type type, String file, long offset, long... shape) {
    Protobuf tensor = new Protobuf();
    long bytes = type.bytes;
    for (long length : shape) {
      tensor.integer(1, length);
      bytes *= length;
    }
    tensor.integer(2, type.id).text(8, name);
    place(tensor, "location", file);
    place(tensor, "offset", Long.toString(offset));
    place(tensor, "length", Long.toString(bytes));
    weights.add(tensor.integer(14, 1));
    return this;
  }

  private static void place(Protobuf tensor, String key, String value) {
    tensor.message(13, new Protobuf().text(1, key).text(2, value));
  }

  /** Adds integers that stay in the model. */
  public OnnxModel constant(String name, long[] shape, long... values) {
    Protobuf tensor = new Protobuf();
    for (long length : shape) {
      tensor.integer(1, length);
    }
    ByteBuffer raw = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      raw.putLong(value);
    }
    weights.add(tensor.integer(2, Type.INT64.id).text(8, name).raw(9, raw.array()));
    return this;
  }

  /**
   * Adds a node.
   *
   * @param domain empty for ONNX' own operators
   * @param ins names; empty for those left out
   * @param attributes Integer, Long or Float each
   */
  public OnnxModel node(
      String domain,
      String operator,
      List<String> ins,
      List<String> outs,
      Map<String, Object> attributes) {
    Protobuf node = new Protobuf();
    ins.forEach(name -> node.text(1, name));
    outs.forEach(name -> node.text(2, name));
    node.text(3, outs.getFirst()).text(4, operator);
    attributes.forEach((name, value) -> node.message(5, attribute(name, value)));
    graph.message(1, node.text(7, domain));
    return this;
  }

  private static Protobuf attribute(String name, Object value) {
    Protobuf attribute = new Protobuf().text(1, name);
    return value instanceof Float real
        ? attribute.real(2, real).integer(20, ATTRIBUTE_FLOAT)
        : attribute.integer(3, ((Number) value).longValue()).integer(20, ATTRIBUTE_INT);
  }

  /** Returns the file's bytes; nothing can be added after. */
  public byte[] toBytes() {
    graph.text(2, "graph");
    weights.forEach(one -> graph.message(5, one));
    inputs.forEach(one -> graph.message(11, one));
    outputs.forEach(one -> graph.message(12, one));
    return new Protobuf()
        .integer(1, IR_VERSION)
        .text(2, "SmallMind bench")
        .message(7, graph)
        .message(8, new Protobuf().text(1, "").integer(2, OPSET))
        .message(8, new Protobuf().text(1, MICROSOFT).integer(2, 1))
        .toBytes();
  }
}
