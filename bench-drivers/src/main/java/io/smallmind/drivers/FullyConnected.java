package io.smallmind.drivers;

import com.google.flatbuffers.FlatBufferBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Writes a TensorFlow Lite model of one fully connected layer: y (m, n) = a (m, k) · Wᵀ. Numbers of
 * fields, types and operators are those of TensorFlow Lite's schema.fbs.
 */
final class FullyConnected {
  private static final int SCHEMA = 3;
  private static final int FULLY_CONNECTED = 9;
  private static final int OPERATOR_VERSION = 9;
  private static final int FULLY_CONNECTED_OPTIONS = 8;
  private static final byte FLOAT32 = 0;
  private static final byte INT8 = 9;
  private static final int ALIGNMENT = 16;
  private static final int ROOM = 4096;

  private final FlatBufferBuilder builder;

  private FullyConnected(int weightBytes) {
    builder = new FlatBufferBuilder(weightBytes + ROOM);
  }

  /** Returns a model with weights (n, k). */
  static ByteBuffer ofFloats(int m, int n, int k, float[] weights) {
    ByteBuffer bytes =
        ByteBuffer.allocate(weights.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(weights);
    return new FullyConnected(bytes.capacity()).model(m, n, k, bytes.array(), FLOAT32, 0);
  }

  /** Returns a model with weights (n, k) that are integers times a step. */
  static ByteBuffer ofIntegers(int m, int n, int k, byte[] weights, float step) {
    return new FullyConnected(weights.length).model(m, n, k, weights, INT8, step);
  }

  private ByteBuffer model(int m, int n, int k, byte[] weights, byte type, float step) {
    int buffers = vector(buffer(0), buffer(bytes(weights)));
    int quantization = step == 0 ? 0 : quantization(step);
    int tensors =
        vector(
            tensor("a", FLOAT32, 0, 0, m, k),
            tensor("w", type, 1, quantization, n, k),
            tensor("y", FLOAT32, 0, 0, m, n));
    int subgraphs = vector(subgraph(tensors));
    builder.startTable(4);
    builder.addByte(0, (byte) FULLY_CONNECTED, 0);
    builder.addInt(2, OPERATOR_VERSION, 1);
    builder.addInt(3, FULLY_CONNECTED, 0);
    int codes = vector(builder.endTable());
    builder.startTable(5);
    builder.addInt(0, SCHEMA, 0);
    builder.addOffset(1, codes, 0);
    builder.addOffset(2, subgraphs, 0);
    builder.addOffset(4, buffers, 0);
    builder.finish(builder.endTable(), "TFL3");
    return builder.dataBuffer();
  }

  private int vector(int... offsets) {
    return builder.createVectorOfTables(offsets);
  }

  private int integers(int... values) {
    builder.startVector(Integer.BYTES, values.length, Integer.BYTES);
    for (int i = values.length - 1; i >= 0; i--) {
      builder.addInt(values[i]);
    }
    return builder.endVector();
  }

  private int bytes(byte[] values) {
    builder.createUnintializedVector(1, values.length, ALIGNMENT).put(values);
    return builder.endVector();
  }

  private int buffer(int data) {
    builder.startTable(1);
    builder.addOffset(0, data, 0);
    return builder.endTable();
  }

  /** Integers of either sign. */
  private int quantization(float step) {
    builder.startVector(Long.BYTES, 1, Long.BYTES);
    builder.addLong(0);
    int zeros = builder.endVector();
    builder.startVector(Float.BYTES, 1, Float.BYTES);
    builder.addFloat(step);
    int scales = builder.endVector();
    builder.startTable(7);
    builder.addOffset(2, scales, 0);
    builder.addOffset(3, zeros, 0);
    return builder.endTable();
  }

  private int tensor(String name, byte type, int buffer, int quantization, int... shape) {
    int lengths = integers(shape);
    int text = builder.createString(name);
    builder.startTable(5);
    builder.addOffset(0, lengths, 0);
    builder.addByte(1, type, 0);
    builder.addInt(2, buffer, 0);
    builder.addOffset(3, text, 0);
    builder.addOffset(4, quantization, 0);
    return builder.endTable();
  }

  private int subgraph(int tensors) {
    int ins = integers(0, 1, -1); // no bias
    int outs = integers(2);
    builder.startTable(4);
    int options = builder.endTable();
    builder.startTable(5);
    builder.addInt(0, 0, 0);
    builder.addOffset(1, ins, 0);
    builder.addOffset(2, outs, 0);
    builder.addByte(3, (byte) FULLY_CONNECTED_OPTIONS, 0);
    builder.addOffset(4, options, 0);
    int operators = vector(builder.endTable());
    int inputs = integers(0);
    int outputs = integers(2);
    builder.startTable(4);
    builder.addOffset(0, tensors, 0);
    builder.addOffset(1, inputs, 0);
    builder.addOffset(2, outputs, 0);
    builder.addOffset(3, operators, 0);
    return builder.endTable();
  }
}
