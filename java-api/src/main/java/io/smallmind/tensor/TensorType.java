package io.smallmind.tensor;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.UnsupportedFormatException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The element formats of GGUF tensors: one constant per format, with its id in the file, the length
 * of a block in elements, its size in bytes, and its codec.
 *
 * <p>Formats without a codec can be listed and copied, but not computed with.
 *
 * <p>Source: the block structures and type numbers of ggml ({@code ggml.h}, {@code ggml-common.h}).
 */
public enum TensorType {
  /** IEEE 754 binary32. */
  F32(0, F32Codec.BLOCK_LENGTH, F32Codec.BLOCK_BYTES, new F32Codec()),
  /** IEEE 754 binary16. */
  F16(1, F16Codec.BLOCK_LENGTH, F16Codec.BLOCK_BYTES, new F16Codec()),
  /** 4 bits, one F16 scale per 32. */
  Q4_0(2, Q40Codec.BLOCK_LENGTH, Q40Codec.BLOCK_BYTES, new Q40Codec()),
  /** 4 bits, F16 scale and minimum per 32. */
  Q4_1(3, Q41Codec.BLOCK_LENGTH, Q41Codec.BLOCK_BYTES, new Q41Codec()),
  /** 5 bits, one F16 scale per 32. */
  Q5_0(6, Q50Codec.BLOCK_LENGTH, Q50Codec.BLOCK_BYTES, new Q50Codec()),
  /** 5 bits, F16 scale and minimum per 32. */
  Q5_1(7, Q51Codec.BLOCK_LENGTH, Q51Codec.BLOCK_BYTES, new Q51Codec()),
  /** 8 bits, one F16 scale per 32. */
  Q8_0(8, Q80Codec.BLOCK_LENGTH, Q80Codec.BLOCK_BYTES, new Q80Codec()),
  /** 8 bits with block sums: an activation format, not computed with here. */
  Q8_1(9, 32, 36, null),
  /** 2 bits, 4-bit scales and minimums per 16, in blocks of 256. */
  Q2_K(10, Q2KCodec.BLOCK_LENGTH, Q2KCodec.BLOCK_BYTES, new Q2KCodec()),
  /** 3 bits, 6-bit scales per 16, in blocks of 256. */
  Q3_K(11, Q3KCodec.BLOCK_LENGTH, Q3KCodec.BLOCK_BYTES, new Q3KCodec()),
  /** 4 bits, 6-bit scales and minimums per 32, in blocks of 256. */
  Q4_K(12, Q4KCodec.BLOCK_LENGTH, Q4KCodec.BLOCK_BYTES, new Q4KCodec()),
  /** 5 bits, 6-bit scales and minimums per 32, in blocks of 256. */
  Q5_K(13, Q5KCodec.BLOCK_LENGTH, Q5KCodec.BLOCK_BYTES, new Q5KCodec()),
  /** 6 bits, 8-bit scales per 16, in blocks of 256. */
  Q6_K(14, Q6KCodec.BLOCK_LENGTH, Q6KCodec.BLOCK_BYTES, new Q6KCodec()),
  /** 8 bits with an F32 scale per 256: an activation format, not computed with here. */
  Q8_K(15, 256, 292, null),
  /** 2.06 bits by codebook. */
  IQ2_XXS(16, 256, 66, null),
  /** 2.31 bits by codebook. */
  IQ2_XS(17, 256, 74, null),
  /** 3.06 bits by codebook. */
  IQ3_XXS(18, 256, 98, null),
  /** 1.56 bits by codebook. */
  IQ1_S(19, 256, 50, null),
  /** 4 bits through a table of 16 unevenly spaced values, one F16 scale per 32. */
  IQ4_NL(20, Iq4NlCodec.BLOCK_LENGTH, Iq4NlCodec.BLOCK_BYTES, new Iq4NlCodec()),
  /** 3.44 bits by codebook. */
  IQ3_S(21, 256, 110, null),
  /** 2.5 bits by codebook. */
  IQ2_S(22, 256, 82, null),
  /** 4 bits through the table of IQ4_NL, 6-bit scales per 32, in blocks of 256. */
  IQ4_XS(23, Iq4XsCodec.BLOCK_LENGTH, Iq4XsCodec.BLOCK_BYTES, new Iq4XsCodec()),
  /** 8-bit integers. */
  I8(24, 1, 1, null),
  /** 16-bit integers. */
  I16(25, 1, 2, null),
  /** 32-bit integers. */
  I32(26, 1, 4, null),
  /** 64-bit integers. */
  I64(27, 1, 8, null),
  /** IEEE 754 binary64. */
  F64(28, 1, 8, null),
  /** 1.75 bits by codebook. */
  IQ1_M(29, 256, 56, null),
  /** The upper half of binary32. */
  BF16(30, Bf16Codec.BLOCK_LENGTH, Bf16Codec.BLOCK_BYTES, new Bf16Codec()),
  /** Ternary, 1.69 bits. */
  TQ1_0(34, 256, 54, null),
  /** Ternary, 2.06 bits. */
  TQ2_0(35, 256, 66, null),
  /** 4-bit floats (E2M1) with one power-of-two scale (E8M0) per 32. */
  MXFP4(39, Mxfp4Codec.BLOCK_LENGTH, Mxfp4Codec.BLOCK_BYTES, new Mxfp4Codec());

  private static final @Nullable TensorType[] BY_GGUF_ID = new @Nullable TensorType[40];

  static {
    for (TensorType type : values()) {
      BY_GGUF_ID[type.ggufId] = type;
    }
  }

  private final int ggufId;
  private final int blockLength;
  private final int blockBytes;
  private final @Nullable Codec codec;

  TensorType(int ggufId, int blockLength, int blockBytes, @Nullable Codec codec) {
    this.ggufId = ggufId;
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
    this.codec = codec;
  }

  /** Returns the number of this type in a GGUF file. */
  public int ggufId() {
    return ggufId;
  }

  /** Returns the length of a block, in elements. */
  public int blockLength() {
    return blockLength;
  }

  /** Returns the size of a block, in bytes. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Tells whether values of this type can be decoded to F32, and so be computed with. */
  public boolean hasCodec() {
    return codec != null;
  }

  /**
   * Tells whether this type stores scaled integers (or small floats) in blocks, so that a matmul
   * with it quantizes its activations; F32, F16 and BF16 don't.
   */
  public boolean isQuantized() {
    return blockLength > 1;
  }

  /**
   * Returns the codec of this type.
   *
   * @throws UnsupportedFormatException if this type can only be listed and copied
   */
  public Codec codec() {
    if (codec == null) {
      throw new UnsupportedFormatException(
          "tensor type " + this + " can't be computed with; supported are " + supported());
    }
    return codec;
  }

  /**
   * Returns the size of a row, in bytes.
   *
   * @param columns length of the row in elements: not negative, a multiple of the block length
   * @throws BadArgumentException if columns is neither, or the size passes 2^63
   */
  public long rowBytes(long columns) {
    if (columns < 0 || columns % blockLength != 0) {
      throw new BadArgumentException(
          "a row of "
              + this
              + " must be a multiple of "
              + blockLength
              + " elements, not "
              + columns
              + "; choose a type with a smaller block");
    }
    try {
      return Math.multiplyExact(columns / blockLength, (long) blockBytes);
    } catch (ArithmeticException e) {
      throw new BadArgumentException("a row of " + columns + " elements is too long", e);
    }
  }

  /** Returns the type with this GGUF number, or null if there is none (or it was withdrawn). */
  public static @Nullable TensorType byGgufId(long ggufId) {
    return ggufId >= 0 && ggufId < BY_GGUF_ID.length ? BY_GGUF_ID[(int) ggufId] : null;
  }

  /**
   * Returns the type of this name, whatever the case.
   *
   * @throws UnsupportedFormatException if there is none
   */
  public static TensorType byName(String name) {
    for (TensorType type : values()) {
      if (type.name().equals(name.toUpperCase(Locale.ROOT))) {
        return type;
      }
    }
    throw new UnsupportedFormatException(
        "unknown tensor type '" + name + "'; supported are " + supported());
  }

  /** Returns the names of the types that can be computed with, separated by commas. */
  public static String supported() {
    StringBuilder names = new StringBuilder();
    for (TensorType type : values()) {
      if (type.hasCodec()) {
        names.append(names.isEmpty() ? "" : ", ").append(type);
      }
    }
    return names.toString();
  }
}
