package io.smallmind.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;

/** Writes little-endian values to a channel through one buffer. Not thread-safe. */
final class GgufOutput implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  /** Fewer zeros than this are written, more are skipped where the channel can: files get holes. */
  private static final int MIN_HOLE_BYTES = 1 << 16;

  private final WritableByteChannel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment bufferSegment = arena.allocate(BUFFER_BYTES);
  private final ByteBuffer buffer = bufferSegment.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  private long position;
  private boolean endsInHole;

  GgufOutput(WritableByteChannel channel) {
    this.channel = channel;
  }

  /** Returns the number of bytes written so far. */
  long position() {
    return position;
  }

  void putInt(int value) throws IOException {
    room(Integer.BYTES);
    buffer.putInt(value);
    position += Integer.BYTES;
  }

  void putLong(long value) throws IOException {
    room(Long.BYTES);
    buffer.putLong(value);
    position += Long.BYTES;
  }

  void putBytes(byte[] bytes, int begin, int end) throws IOException {
    put(MemorySegment.ofArray(bytes).asSlice(begin, (long) end - begin));
  }

  void put(MemorySegment bytes) throws IOException {
    long size = bytes.byteSize();
    for (long done = 0; done < size; ) {
      room(1);
      int step = (int) Math.min(size - done, buffer.remaining());
      MemorySegment.copy(bytes, done, bufferSegment, buffer.position(), step);
      buffer.position(buffer.position() + step);
      done += step;
    }
    position += size;
  }

  void putZeros(long count) throws IOException {
    if (count >= MIN_HOLE_BYTES && channel instanceof SeekableByteChannel seekable) {
      flush();
      seekable.position(seekable.position() + count);
      endsInHole = true;
    } else {
      for (long done = 0; done < count; ) {
        room(1);
        int step = (int) Math.min(count - done, buffer.remaining());
        bufferSegment.asSlice(buffer.position(), step).fill((byte) 0);
        buffer.position(buffer.position() + step);
        done += step;
      }
    }
    position += count;
  }

  /** Writes what is buffered, and gives the file its full size. */
  void finish() throws IOException {
    flush();
    if (endsInHole) {
      SeekableByteChannel seekable = (SeekableByteChannel) channel;
      seekable.position(seekable.position() - 1);
      buffer.put((byte) 0);
      flush();
    }
  }

  /** Frees the buffer; the channel stays open. */
  @Override
  public void close() {
    arena.close();
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    if (buffer.hasRemaining()) {
      endsInHole = false;
    }
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }
}
