package io.smallmind.gguf;

import org.jspecify.annotations.Nullable;

/** The types of metadata values, with their numbers in the file. */
public enum GgufType {
  /** 0 to 255. */
  UINT8(0, 1),
  /** -128 to 127. */
  INT8(1, 1),
  /** 0 to 65535. */
  UINT16(2, 2),
  /** -32768 to 32767. */
  INT16(3, 2),
  /** 0 to 2^32 - 1. */
  UINT32(4, 4),
  /** -2^31 to 2^31 - 1. */
  INT32(5, 4),
  /** IEEE 754 binary32. */
  FLOAT32(6, 4),
  /** One byte, 0 or 1. */
  BOOL(7, 1),
  /** Bytes, UTF-8 as a rule. */
  STRING(8, 0),
  /** A list of values of one type, which is not an array again. */
  ARRAY(9, 0),
  /** 0 to 2^64 - 1. */
  UINT64(10, 8),
  /** -2^63 to 2^63 - 1. */
  INT64(11, 8),
  /** IEEE 754 binary64. */
  FLOAT64(12, 8);

  private static final GgufType[] BY_ID = {
    UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64
  };

  private final int id;
  private final int bytes;

  GgufType(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** Returns the number of this type in a GGUF file. */
  public int id() {
    return id;
  }

  /** Returns the size of a value in bytes; 0 for strings and arrays, whose size varies. */
  public int bytes() {
    return bytes;
  }

  /** Tells whether values of this type are integers, of any width and sign. */
  public boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      default -> false;
    };
  }

  /** Tells whether values of this type are floating-point numbers. */
  public boolean isReal() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /** Returns the type with this number, or null if there is none. */
  public static @Nullable GgufType byId(long id) {
    return id >= 0 && id < BY_ID.length ? BY_ID[(int) id] : null;
  }
}
