package io.smallmind;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.SmallMindException;
import io.smallmind.model.KvCache;
import io.smallmind.model.ModelConfig;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * The file of a saved session: magic number, version, the model it belongs to, tokens, and the
 * pages of keys and values, followed by a CRC-32C of all before it. Numbers are big-endian.
 */
final class SessionFile {
  private static final int MAGIC = 0x534d_5345; // "SMSE"
  private static final int VERSION = 1;
  private static final int BUFFER = 1 << 16;

  private SessionFile() {}

  /** Writes a session, in place of what stood in the file only when all is written. */
  static void save(Path file, LanguageModel model, KvCache cache, int[] ids) {
    Path temporary = file.resolveSibling(file.getFileName() + ".part");
    try {
      try (CheckedOutputStream checked =
              new CheckedOutputStream(
                  new BufferedOutputStream(Files.newOutputStream(temporary), BUFFER),
                  new CRC32C());
          DataOutputStream out = new DataOutputStream(checked)) {
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeLong(fingerprint(model));
        out.writeUTF(cache.type().name());
        out.writeInt(ids.length);
        for (int id : ids) {
          out.writeInt(id);
        }
        out.writeInt(cache.length());
        byte[] buffer = new byte[BUFFER];
        for (int page = 0; page < cache.pagesInUse(); page++) {
          MemorySegment bytes = cache.page(page);
          for (long at = 0; at < bytes.byteSize(); at += BUFFER) {
            int length = (int) Math.min(BUFFER, bytes.byteSize() - at);
            MemorySegment.copy(bytes, at, MemorySegment.ofArray(buffer), 0, length);
            out.write(buffer, 0, length);
          }
        }
        out.flush();
        out.writeLong(checked.getChecksum().getValue());
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new SmallMindException("can't save the session to " + file + ": " + e, e);
    }
  }

  /** Fills an empty cache from a file; returns the tokens. */
  static int[] restore(Path file, LanguageModel model, KvCache cache) {
    try (CheckedInputStream checked =
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), BUFFER), new CRC32C());
        DataInputStream in = new DataInputStream(checked)) {
      require(file, in.readInt() == MAGIC, "it is no saved session");
      int version = in.readInt();
      require(file, version == VERSION, "version " + version + " is unknown; save it anew");
      require(file, in.readLong() == fingerprint(model), "it belongs to another model");
      String type = in.readUTF();
      if (!type.equals(cache.type().name())) {
        throw new BadArgumentException(
            file + ": its cache type is " + type + "; restore it with this type");
      }
      int count = in.readInt();
      long left = Files.size(file);
      require(file, count >= 0 && count <= left / 4, "the number of tokens is " + count);
      if (count > cache.capacity() + 1) {
        throw new BadArgumentException(
            file + ": its " + count + " tokens need a larger contextLength");
      }
      int[] ids = new int[count];
      for (int i = 0; i < count; i++) {
        ids[i] = in.readInt();
        require(
            file,
            ids[i] >= 0 && ids[i] < model.config().vocabularySize(),
            "token " + ids[i] + " is not in the vocabulary");
      }
      int length = in.readInt();
      require(file, length >= 0 && length <= count, "the cache's length is " + length);
      require(
          file,
          left >= cache.pagesFor(length) * cache.pageBytes(),
          "it is too short for " + length + " tokens");
      cache.reserve(length);
      byte[] buffer = new byte[BUFFER];
      for (int page = 0; page < cache.pagesFor(length); page++) {
        MemorySegment bytes = cache.page(page);
        for (long at = 0; at < bytes.byteSize(); at += BUFFER) {
          int piece = (int) Math.min(BUFFER, bytes.byteSize() - at);
          in.readFully(buffer, 0, piece);
          MemorySegment.copy(MemorySegment.ofArray(buffer), 0, bytes, at, piece);
        }
      }
      long checksum = checked.getChecksum().getValue();
      require(file, in.readLong() == checksum, "its checksum is wrong: the file is damaged");
      require(file, in.read() < 0, "there is something behind its end");
      cache.restored(length);
      return ids;
    } catch (UTFDataFormatException e) {
      throw new BadModelFileException(file + ": it is damaged; save the session anew", e);
    } catch (EOFException e) {
      throw new BadModelFileException(file + ": it ends too early; save the session anew", e);
    } catch (IOException e) {
      throw new SmallMindException("can't read the session from " + file + ": " + e, e);
    }
  }

  private static void require(Path file, boolean fine, String problem) {
    if (!fine) {
      throw new BadModelFileException(file + ": " + problem);
    }
  }

  /** Tells models apart by their configuration, the tensors of their file, and their adapter. */
  private static long fingerprint(LanguageModel model) {
    ModelConfig config = model.config();
    CRC32C crc = new CRC32C();
    String told = config + " " + model.file().tensors() + model.adapter();
    crc.update(told.getBytes(StandardCharsets.UTF_8));
    return crc.getValue();
  }
}
