package io.smallmind.gguf;

import io.smallmind.error.BadArgumentException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A metadata value: a scalar, a string, or an array of either. Immutable and thread-safe.
 *
 * <p>It keeps the very bytes of the file, so that whatever was read is written back the same: NaN
 * payloads, and strings that are not valid UTF-8, as byte-level vocabularies have them. A value
 * takes its bytes in the file plus a few; a string in an array is decoded when asked for.
 */
public final class GgufValue {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** How much of a string or array {@link #toString()} shows. */
  private static final int SHOWN_ELEMENTS = 8;

  private final GgufType type;
  private final @Nullable GgufType elementType;
  private final int length;

  /** The values, little-endian, one after another; strings without their lengths. */
  private final byte[] data;

  /** (length) end of each string in data, for strings only. */
  private final int @Nullable [] ends;

  /** Takes over the arrays: callers don't touch them afterwards. */
  GgufValue(
      GgufType type,
      @Nullable GgufType elementType,
      int length,
      byte[] data,
      int @Nullable [] ends) {
    this.type = type;
    this.elementType = elementType;
    this.length = length;
    this.data = data;
    this.ends = ends;
  }

  // ---- Making values

  /**
   * Makes an integer.
   *
   * @param type any integer type
   * @param value the value; for UINT64 its 64 bits, so that negative stands for 2^63 and more
   * @throws BadArgumentException if the type is not an integer's, or can't hold the value
   */
  public static GgufValue integer(GgufType type, long value) {
    checkInteger(type, value);
    byte[] data = new byte[type.bytes()];
    putBits(type, data, 0, value);
    return new GgufValue(type, null, 1, data, null);
  }

  /** Makes an unsigned 32-bit integer, the usual type of sizes and token ids. */
  public static GgufValue uint32(long value) {
    return integer(GgufType.UINT32, value);
  }

  /** Makes a binary32 number. */
  public static GgufValue float32(float value) {
    return floats(GgufType.FLOAT32, null, value);
  }

  /** Makes a binary64 number. */
  public static GgufValue float64(double value) {
    byte[] data = new byte[Long.BYTES];
    LONG.set(data, 0, Double.doubleToRawLongBits(value));
    return new GgufValue(GgufType.FLOAT64, null, 1, data, null);
  }

  /** Makes a truth value. */
  public static GgufValue bool(boolean value) {
    return new GgufValue(GgufType.BOOL, null, 1, new byte[] {(byte) (value ? 1 : 0)}, null);
  }

  /**
   * Makes a string.
   *
   * @throws BadArgumentException if it is no valid Unicode: has a lone surrogate
   */
  public static GgufValue string(String value) {
    return new GgufValue(GgufType.STRING, null, 1, encode(value), null);
  }

  /** Makes a string of exactly these bytes, which may be no UTF-8 at all. */
  public static GgufValue string(byte[] value) {
    return new GgufValue(GgufType.STRING, null, 1, value.clone(), null);
  }

  /**
   * Makes an array of integers.
   *
   * @param elementType any integer type
   * @param values as in {@link #integer}
   * @throws BadArgumentException if the type is not an integer's, or can't hold a value
   */
  public static GgufValue integers(GgufType elementType, long... values) {
    checkInteger(elementType, 0);
    byte[] data = new byte[size(elementType, values.length)];
    for (int i = 0; i < values.length; i++) {
      checkInteger(elementType, values[i]);
      putBits(elementType, data, i, values[i]);
    }
    return new GgufValue(GgufType.ARRAY, elementType, values.length, data, null);
  }

  /** Makes an array of signed 32-bit integers, the usual type of token types. */
  public static GgufValue int32s(int... values) {
    byte[] data = new byte[size(GgufType.INT32, values.length)];
    for (int i = 0; i < values.length; i++) {
      INT.set(data, i * Integer.BYTES, values[i]);
    }
    return new GgufValue(GgufType.ARRAY, GgufType.INT32, values.length, data, null);
  }

  /** Makes an array of binary32 numbers. */
  public static GgufValue float32s(float... values) {
    return floats(GgufType.ARRAY, GgufType.FLOAT32, values);
  }

  /** Makes an array of binary64 numbers. */
  public static GgufValue float64s(double... values) {
    byte[] data = new byte[size(GgufType.FLOAT64, values.length)];
    for (int i = 0; i < values.length; i++) {
      LONG.set(data, i * Long.BYTES, Double.doubleToRawLongBits(values[i]));
    }
    return new GgufValue(GgufType.ARRAY, GgufType.FLOAT64, values.length, data, null);
  }

  /** Makes an array of truth values. */
  public static GgufValue bools(boolean... values) {
    byte[] data = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      data[i] = (byte) (values[i] ? 1 : 0);
    }
    return new GgufValue(GgufType.ARRAY, GgufType.BOOL, values.length, data, null);
  }

  /**
   * Makes an array of strings.
   *
   * @throws BadArgumentException if one is no valid Unicode, or they pass 2 GiB together
   */
  public static GgufValue strings(List<String> values) {
    return byteStrings(values.stream().map(GgufValue::encode).toList());
  }

  /**
   * Makes an array of strings of exactly these bytes, which may be no UTF-8 at all.
   *
   * @throws BadArgumentException if they are 2 GiB together or more
   */
  public static GgufValue byteStrings(List<byte[]> values) {
    int[] ends = new int[values.size()];
    int end = 0;
    try {
      for (int i = 0; i < ends.length; i++) {
        end = Math.addExact(end, values.get(i).length);
        ends[i] = end;
      }
    } catch (ArithmeticException e) {
      throw new BadArgumentException("an array of strings of more than 2 GiB; split it", e);
    }
    byte[] data = new byte[end];
    int begin = 0;
    for (byte[] value : values) {
      System.arraycopy(value, 0, data, begin, value.length);
      begin += value.length;
    }
    return new GgufValue(GgufType.ARRAY, GgufType.STRING, ends.length, data, ends);
  }

  private static byte[] encode(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    if (!value.equals(new String(bytes, StandardCharsets.UTF_8))) {
      throw new BadArgumentException(
          Names.quote(value) + " is no valid Unicode (a lone surrogate); give bytes instead");
    }
    return bytes;
  }

  private static GgufValue floats(GgufType type, @Nullable GgufType elementType, float... values) {
    byte[] data = new byte[size(GgufType.FLOAT32, values.length)];
    for (int i = 0; i < values.length; i++) {
      INT.set(data, i * Float.BYTES, Float.floatToRawIntBits(values[i]));
    }
    return new GgufValue(type, elementType, values.length, data, null);
  }

  private static int size(GgufType elementType, int length) {
    try {
      return Math.multiplyExact(elementType.bytes(), length);
    } catch (ArithmeticException e) {
      throw new BadArgumentException(
          "an array of " + length + " " + elementType + " passes 2 GiB; split it", e);
    }
  }

  private static void checkInteger(GgufType type, long value) {
    if (!type.isInteger()) {
      throw new BadArgumentException(type + " is no integer type");
    }
    int bits = type.bytes() * Byte.SIZE;
    boolean fits =
        bits == Long.SIZE
            || (isUnsigned(type)
                ? value >>> bits == 0
                : value >= -1L << (bits - 1) && value < 1L << (bits - 1));
    if (!fits) {
      throw new BadArgumentException(type + " can't hold " + value + "; use a wider type");
    }
  }

  private static boolean isUnsigned(GgufType type) {
    return switch (type) {
      case UINT8, UINT16, UINT32, UINT64 -> true;
      default -> false;
    };
  }

  private static void putBits(GgufType type, byte[] data, int index, long bits) {
    switch (type.bytes()) {
      case 1 -> data[index] = (byte) bits;
      case 2 -> SHORT.set(data, index * Short.BYTES, (short) bits);
      case 4 -> INT.set(data, index * Integer.BYTES, (int) bits);
      default -> LONG.set(data, index * Long.BYTES, bits);
    }
  }

  // ---- Reading values

  /** Returns the type; for an array, ARRAY. */
  public GgufType type() {
    return type;
  }

  /** Returns the type of an array's elements; null unless this is an array. */
  public @Nullable GgufType elementType() {
    return elementType;
  }

  /** Returns the type of what {@link #integerAt} and its sisters read: an array's elements'. */
  public GgufType scalarType() {
    return elementType == null ? type : elementType;
  }

  /** Tells whether this is an array. */
  public boolean isArray() {
    return elementType != null;
  }

  /** Returns the number of elements; 1 unless this is an array. */
  public int length() {
    return length;
  }

  /**
   * Returns an integer; one of type UINT64 as its 64 bits, negative from 2^63 on.
   *
   * @throws BadArgumentException if this holds no integers, or the index is out of range
   */
  public long integerAt(int index) {
    check(scalarType().isInteger(), "integer", index);
    return switch (scalarType()) {
      case UINT8 -> data[index] & 0xFF;
      case INT8 -> data[index];
      case UINT16 -> (short) SHORT.get(data, index * Short.BYTES) & 0xFFFF;
      case INT16 -> (short) SHORT.get(data, index * Short.BYTES);
      case UINT32 -> Integer.toUnsignedLong((int) INT.get(data, index * Integer.BYTES));
      case INT32 -> (int) INT.get(data, index * Integer.BYTES);
      default -> (long) LONG.get(data, index * Long.BYTES);
    };
  }

  /**
   * Returns a floating-point number.
   *
   * @throws BadArgumentException if this holds none, or the index is out of range
   */
  public double realAt(int index) {
    check(scalarType().isReal(), "real number", index);
    return scalarType() == GgufType.FLOAT32
        ? Float.intBitsToFloat((int) INT.get(data, index * Float.BYTES))
        : Double.longBitsToDouble((long) LONG.get(data, index * Double.BYTES));
  }

  /**
   * Returns a truth value.
   *
   * @throws BadArgumentException if this holds none, or the index is out of range
   */
  public boolean boolAt(int index) {
    check(scalarType() == GgufType.BOOL, "bool", index);
    return data[index] != 0;
  }

  /**
   * Returns a string, with U+FFFD for what is not valid UTF-8.
   *
   * @throws BadArgumentException if this holds none, or the index is out of range
   */
  public String stringAt(int index) {
    check(scalarType() == GgufType.STRING, "string", index);
    int begin = begin(index);
    return new String(data, begin, end(index) - begin, StandardCharsets.UTF_8);
  }

  /**
   * Returns a copy of the exact bytes of a string.
   *
   * @throws BadArgumentException if this holds none, or the index is out of range
   */
  public byte[] bytesAt(int index) {
    check(scalarType() == GgufType.STRING, "string", index);
    return Arrays.copyOfRange(data, begin(index), end(index));
  }

  private void check(boolean fits, String wanted, int index) {
    if (!fits) {
      throw new BadArgumentException("no " + wanted + " but a value of type " + describeType());
    }
    if (index < 0 || index >= length) {
      throw new BadArgumentException("index " + index + " of an array of " + length);
    }
  }

  private int begin(int index) {
    return ends == null || index == 0 ? 0 : ends[index - 1];
  }

  private int end(int index) {
    return ends == null ? data.length : ends[index];
  }

  /** The values as in the file, but strings without their lengths; not to be changed. */
  byte[] data() {
    return data;
  }

  /** Returns the size of a string in bytes; the index is not checked. */
  int stringBytes(int index) {
    return end(index) - begin(index);
  }

  /** Returns the type in words: "UINT32", "ARRAY of STRING". */
  public String describeType() {
    return elementType == null ? type.toString() : "ARRAY of " + elementType;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof GgufValue that
        && type == that.type
        && elementType == that.elementType
        && length == that.length
        && Arrays.equals(data, that.data)
        && Arrays.equals(ends, that.ends);
  }

  @Override
  public int hashCode() {
    return Objects.hash(type, elementType, Arrays.hashCode(data), Arrays.hashCode(ends));
  }

  /** Returns the value for people to read: long strings and arrays are cut. */
  @Override
  public String toString() {
    if (!isArray()) {
      return element(0);
    }
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < Math.min(length, SHOWN_ELEMENTS); i++) {
      text.append(i == 0 ? "" : ", ").append(element(i));
    }
    if (length > SHOWN_ELEMENTS) {
      text.append(", … ").append(length).append(" in all");
    }
    return text.append(']').toString();
  }

  private String element(int index) {
    return switch (scalarType()) {
      case STRING -> {
        // A string may be megabytes long; decode no more of it than can be shown.
        int begin = begin(index);
        int bytes = Math.min(end(index) - begin, 4 * Names.SHOWN_CHARACTERS + 4);
        yield Names.quote(new String(data, begin, bytes, StandardCharsets.UTF_8));
      }
      case FLOAT32 -> Float.toString((float) realAt(index));
      case FLOAT64 -> Double.toString(realAt(index));
      case BOOL -> Boolean.toString(boolAt(index));
      case UINT64 -> Long.toUnsignedString(integerAt(index));
      default -> Long.toString(integerAt(index));
    };
  }

  /** Returns an integer without loss, whatever its type; the index and type must fit. */
  BigInteger bigIntegerAt(int index) {
    return new BigInteger(element(index));
  }
}
