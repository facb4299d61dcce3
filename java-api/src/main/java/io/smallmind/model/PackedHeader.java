package io.smallmind.model;

import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.Matrix;
import io.smallmind.tensor.Memory;
import io.smallmind.tensor.TensorType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The beginning of a {@link PackedFile}: which model and layout it belongs to, where its matrices
 * lie, and the checksums of their bytes. Numbers are big-endian, texts modified UTF-8 behind a
 * 16-bit length:
 *
 * <ol>
 *   <li>magic number and version, 32 bits each
 *   <li>size of the header in bytes, 32 bits
 *   <li>the layout; the model's size in bytes, and when it was last changed, 64 bits each
 *   <li>the number of matrices, 32 bits, and of each: name, type, rows, columns, 64 bits each, its
 *       first byte, from the start of the file, and its size in bytes, 64 bits each
 *   <li>the size of the data in bytes, 64 bits, and the CRC-32C of each {@link #PIECE} of it, 32
 *       bits each
 *   <li>the CRC-32C of all before, 32 bits
 * </ol>
 *
 * <p>The data follows at the next multiple of {@link #PAGE}.
 */
final class PackedHeader {
  private static final int MAGIC = 0x534d_5057; // "SMPW"
  private static final int VERSION = 1;
  private static final int FIXED_BYTES = 12;

  /** Room for some hundred thousand matrices, or thousands of gigabytes. */
  private static final int MAX_BYTES = 16 << 20;

  /** Multiple at which the data begins, in bytes: a huge page, so that it can lie on such. */
  static final long PAGE = 2L << 20;

  /** Bytes of data that share a checksum. */
  static final long PIECE = 1L << 20;

  /** Where a packed matrix lies. */
  record Entry(String name, TensorType type, long rows, long columns, long offset, long bytes) {
    boolean isOf(String wanted, Matrix source) {
      return name.equals(wanted)
          && type == source.type()
          && rows == source.rows()
          && columns == source.columns();
    }
  }

  /** The file is not one that can be used; the message says why. */
  static final class UnusableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnusableException(String message) {
      super(message);
    }
  }

  private final String layout;
  private final long modelBytes;
  private final long modelChanged;
  private final List<Entry> entries;
  private final long dataBytes;
  private final int[] checksums;

  /**
   * Describes a file.
   *
   * @param layout see {@link Kernels#layout}
   * @param modelChanged in seconds since 1970
   * @param checksums of the pieces of the data, in order
   */
  PackedHeader(
      String layout,
      long modelBytes,
      long modelChanged,
      List<Entry> entries,
      long dataBytes,
      int[] checksums) {
    this.layout = layout;
    this.modelBytes = modelBytes;
    this.modelChanged = modelChanged;
    this.entries = List.copyOf(entries);
    this.dataBytes = dataBytes;
    this.checksums = checksums.clone();
  }

  /** Returns the matrices in the order in which a model is loaded. */
  List<Entry> entries() {
    return entries;
  }

  /** Returns the number of pieces. */
  int pieces() {
    return checksums.length;
  }

  /** Tells whether the bytes of a piece are those that were written. */
  boolean isWhole(int piece, ByteBuffer bytes) {
    return checksum(bytes) == checksums[piece];
  }

  /** Returns the size of the data in bytes. */
  long dataBytes() {
    return dataBytes;
  }

  /** Returns where the data begins. */
  static long dataOffset(long headerBytes) {
    return Math.ceilDiv(headerBytes, PAGE) * PAGE;
  }

  static int pieces(long dataBytes) {
    return Math.toIntExact(Math.ceilDiv(dataBytes, PIECE));
  }

  static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** Returns the header as it stands in the file. */
  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      out.writeInt(VERSION);
      out.writeInt(0); // Its size, when it is known.
      out.writeUTF(layout);
      out.writeLong(modelBytes);
      out.writeLong(modelChanged);
      out.writeInt(entries.size());
      for (Entry entry : entries) {
        out.writeUTF(entry.name);
        out.writeUTF(entry.type.name());
        out.writeLong(entry.rows);
        out.writeLong(entry.columns);
        out.writeLong(entry.offset);
        out.writeLong(entry.bytes);
      }
      out.writeLong(dataBytes);
      for (int checksum : checksums) {
        out.writeInt(checksum);
      }
      out.writeInt(0); // Its checksum, likewise.
    } catch (IOException e) {
      throw new UncheckedIOException("memory takes all bytes", e);
    }
    byte[] header = bytes.toByteArray();
    ByteBuffer buffer = ByteBuffer.wrap(header);
    int end = header.length - Integer.BYTES;
    buffer.putInt(FIXED_BYTES - Integer.BYTES, header.length);
    buffer.putInt(end, checksum(buffer.slice(0, end)));
    return header;
  }

  /**
   * Reads and checks the header of a file: whatever it says lies within the file.
   *
   * @param fileBytes size of the file
   * @param wanted tells layout and model
   * @throws UnusableException if it is no header, of another version, layout or model, or damaged
   * @throws IOException if the file can't be read
   */
  static PackedHeader read(FileChannel channel, long fileBytes, PackedHeader wanted)
      throws IOException, UnusableException {
    ByteBuffer fixed = read(channel, fileBytes, FIXED_BYTES);
    require(fixed.getInt() == MAGIC, "it holds no packed weights");
    int version = fixed.getInt();
    require(version == VERSION, "version " + version + " is unknown");
    int size = fixed.getInt();
    require(size > FIXED_BYTES + Integer.BYTES && size <= MAX_BYTES, "it is damaged");
    ByteBuffer all = read(channel, fileBytes, size);
    int end = size - Integer.BYTES;
    require(checksum(all.slice(0, end)) == all.getInt(end), "it is damaged");
    byte[] body = Arrays.copyOfRange(all.array(), FIXED_BYTES, end);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(body))) {
      require(in.readUTF().equals(wanted.layout), "its layout is another");
      require(
          in.readLong() == wanted.modelBytes && in.readLong() == wanted.modelChanged,
          "the model was changed since");
      return wanted.with(in, dataOffset(size), fileBytes);
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new UnusableException("it is damaged");
    }
  }

  /** Returns this layout and model with the matrices that a header lists behind them. */
  private PackedHeader with(DataInputStream in, long dataOffset, long fileBytes)
      throws IOException, UnusableException {
    int count = in.readInt();
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) { // Ends with the bytes, whatever the count.
      Entry entry =
          new Entry(
              in.readUTF(),
              TensorType.valueOf(in.readUTF()),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong());
      require(
          entry.offset >= dataOffset
              && entry.offset % Memory.ALIGNMENT == 0
              && entry.bytes > 0
              && entry.bytes <= fileBytes - entry.offset,
          "it is damaged");
      entries.add(entry);
    }
    long dataBytes = in.readLong();
    require(dataBytes >= 0 && dataBytes == fileBytes - dataOffset, "it was cut short");
    int pieces = pieces(dataBytes);
    require(in.available() == (long) pieces * Integer.BYTES, "it is damaged");
    int[] checksums = new int[pieces];
    for (int i = 0; i < pieces; i++) {
      checksums[i] = in.readInt();
    }
    return new PackedHeader(layout, modelBytes, modelChanged, entries, dataBytes, checksums);
  }

  private static ByteBuffer read(FileChannel channel, long fileBytes, int bytes)
      throws IOException, UnusableException {
    require(bytes <= fileBytes, "it was cut short");
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      require(channel.read(buffer, buffer.position()) > 0, "it was cut short");
    }
    return buffer.flip();
  }

  private static void require(boolean fine, String problem) throws UnusableException {
    if (!fine) {
      throw new UnusableException(problem);
    }
  }
}
