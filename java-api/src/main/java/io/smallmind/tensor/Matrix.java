package io.smallmind.tensor;

import io.smallmind.error.BadArgumentException;
import java.lang.foreign.MemorySegment;

/**
 * A row-major view of (rows, columns) values of one type in off-heap memory: it owns nothing, and
 * is immutable and thread-safe as far as the memory behind it is.
 *
 * <p>Rows are contiguous; consecutive rows are {@link #rowStride()} bytes apart.
 */
public final class Matrix {
  private final MemorySegment segment;
  private final TensorType type;
  private final long rows;
  private final long columns;
  private final long rowStride;

  private Matrix(MemorySegment segment, TensorType type, long rows, long columns, long rowStride) {
    this.segment = segment;
    this.type = type;
    this.rows = rows;
    this.columns = columns;
    this.rowStride = rowStride;
  }

  /**
   * Views a segment as a matrix whose rows follow each other without gaps.
   *
   * @param segment off-heap memory of at least rows × row bytes
   * @throws BadArgumentException if the segment is on the heap or too small, or a size is negative
   *     or no multiple of the type's block length
   */
  public static Matrix of(MemorySegment segment, TensorType type, long rows, long columns) {
    return of(segment, type, rows, columns, type.rowBytes(columns));
  }

  /**
   * Views a segment as a matrix.
   *
   * @param segment off-heap memory that holds every row
   * @param rowStride distance of consecutive rows in bytes, at least the bytes of a row
   * @throws BadArgumentException if the segment is on the heap or too small, or a size is negative,
   *     too large, or no multiple of the type's block length
   */
  public static Matrix of(
      MemorySegment segment, TensorType type, long rows, long columns, long rowStride) {
    long rowBytes = type.rowBytes(columns);
    if (!segment.isNative()) {
      throw new BadArgumentException(
          "a matrix needs an off-heap segment; allocate it from an Arena or a Memory");
    }
    if (rows < 0 || rowStride < rowBytes) {
      throw new BadArgumentException(
          "bad shape: rows = "
              + rows
              + ", row stride = "
              + rowStride
              + " bytes, row = "
              + rowBytes);
    }
    long needed;
    try {
      needed = rows == 0 ? 0 : Math.addExact(Math.multiplyExact(rows - 1, rowStride), rowBytes);
    } catch (ArithmeticException e) {
      throw new BadArgumentException("a matrix of " + rows + " × " + columns + " is too large", e);
    }
    if (segment.byteSize() < needed) {
      throw new BadArgumentException(
          "a "
              + type
              + " matrix of "
              + rows
              + " × "
              + columns
              + " needs "
              + needed
              + " bytes, the segment has "
              + segment.byteSize());
    }
    return new Matrix(segment, type, rows, columns, rowStride);
  }

  /** Returns the memory that holds the rows, from row 0 on. */
  public MemorySegment segment() {
    return segment;
  }

  /** Returns the element type. */
  public TensorType type() {
    return type;
  }

  /** Returns the number of rows. */
  public long rows() {
    return rows;
  }

  /** Returns the length of a row, in elements. */
  public long columns() {
    return columns;
  }

  /** Returns the distance of consecutive rows, in bytes. */
  public long rowStride() {
    return rowStride;
  }

  /** Returns the offset of a row in {@link #segment()}, in bytes; the row is not checked. */
  public long rowOffset(long row) {
    return row * rowStride;
  }

  /**
   * Views a range of rows.
   *
   * @throws BadArgumentException if the range is not within this matrix
   */
  public Matrix rows(long begin, long end) {
    if (begin < 0 || end < begin || end > rows) {
      throw new BadArgumentException("rows " + begin + " to " + end + " of " + this);
    }
    return new Matrix(
        segment.asSlice(begin == end ? 0 : rowOffset(begin)),
        type,
        end - begin,
        columns,
        rowStride);
  }

  /**
   * Views a range of columns.
   *
   * @throws BadArgumentException if the range is not within this matrix, or cuts a block
   */
  public Matrix columns(long begin, long end) {
    if (begin < 0 || end < begin || end > columns) {
      throw new BadArgumentException("columns " + begin + " to " + end + " of " + this);
    }
    long skip = type.rowBytes(begin);
    type.rowBytes(end - begin);
    return new Matrix(segment.asSlice(rows == 0 ? 0 : skip), type, rows, end - begin, rowStride);
  }

  @Override
  public String toString() {
    return type + " matrix of " + rows + " × " + columns;
  }
}
