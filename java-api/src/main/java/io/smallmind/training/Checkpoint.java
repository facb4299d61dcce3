package io.smallmind.training;

import io.smallmind.error.BadArgumentException;
import io.smallmind.error.BadModelFileException;
import io.smallmind.error.FileWriteException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufMetadata;
import io.smallmind.gguf.GgufType;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import io.smallmind.kernels.Kernels;
import io.smallmind.kernels.Team;
import io.smallmind.tensor.TensorType;
import io.smallmind.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Saves a training and goes on with it later, as if it had never stopped.
 *
 * <p>A checkpoint is a GGUF model file, which inference can load, with the optimizer's moments as
 * further tensors and the options as metadata; behind its end stand a magic number and the CRC-32C
 * of all bytes before. It is written under another name and then takes its place in one step, so
 * that whatever kills the process leaves a whole one.
 */
public final class Checkpoint {
  private static final int VERSION = 1;
  private static final String PREFIX = "smallmind.checkpoint.";

  /** "SMCKPT01" in ASCII. */
  private static final long MAGIC = 0x3130_5450_4B43_4D53L;

  private static final int TRAILER = 16;
  private static final long CHECKED_AT_ONCE = 1 << 26;

  private Checkpoint() {}

  /**
   * Saves a training.
   *
   * @throws FileWriteException if the file can't be written; an older one stays whole
   */
  public static void save(Trainer trainer, Path target) {
    Path name = target.getFileName();
    if (name == null) {
      throw new FileWriteException(target + ": a folder; name a file");
    }
    Path temporary = target.resolveSibling("." + name + ".tmp");
    deleteLeftovers(temporary);
    GgufWriter writer = new GgufWriter();
    trainer.config.put(writer);
    trainer.entries.forEach(writer::put);
    writer.put(PREFIX + "version", VERSION);
    writer.put(PREFIX + "step", GgufValue.integer(GgufType.INT64, trainer.done()));
    writer.put(PREFIX + "data", GgufValue.integer(GgufType.INT64, trainer.data.checksum()));
    LoraAdapters adapters = trainer.network.adapters;
    if (adapters != null) {
      writer.put(PREFIX + "lora.rank", adapters.config.rank());
      writer.put(PREFIX + "lora.alpha", GgufValue.float64(adapters.config.alpha()));
    }
    trainer.options.put(writer);
    trainer.history.put(writer);
    ModelTensors.put(trainer.config, trainer.network.parameters, writer);
    ParameterSet trained = trainer.network.trained();
    for (Parameter parameter : trained.all()) {
      if (adapters != null) {
        put(writer, parameter.name(), parameter, parameter.value);
      }
      put(
          writer,
          "m." + parameter.name(),
          parameter,
          trained.part(trained.firstMoments, parameter));
      put(
          writer,
          "v." + parameter.name(),
          parameter,
          trained.part(trained.secondMoments, parameter));
    }
    writer.write(temporary);
    try {
      seal(temporary);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new FileWriteException(
          target + ": can't be written (" + e + "); check disk space and permissions", e);
    }
  }

  private static void put(
      GgufWriter writer, String name, Parameter parameter, MemorySegment values) {
    writer.tensor(
        name, TensorType.F32, List.of((long) parameter.columns(), (long) parameter.rows()), values);
  }

  /** Removes what a process left that was killed while it wrote. */
  private static void deleteLeftovers(Path temporary) {
    Path folder = temporary.toAbsolutePath().getParent();
    String prefix = "." + temporary.getFileName() + ".";
    try (DirectoryStream<Path> leftovers =
        Files.newDirectoryStream(
            folder,
            each -> {
              String name = String.valueOf(each.getFileName());
              return name.startsWith(prefix) && name.endsWith(".tmp");
            })) {
      for (Path leftover : leftovers) {
        Files.deleteIfExists(leftover);
      }
    } catch (NoSuchFileException e) {
      throw new FileWriteException(temporary + ": its folder doesn't exist; create it", e);
    } catch (IOException e) {
      // They only take room; writing will tell what is wrong.
    }
  }

  private static void seal(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long size = channel.size();
      ByteBuffer trailer = ByteBuffer.allocate(TRAILER).order(ByteOrder.LITTLE_ENDIAN);
      trailer.putLong(MAGIC).putLong(checksum(channel, size)).flip();
      while (trailer.hasRemaining()) {
        channel.write(trailer, size + trailer.position());
      }
      channel.force(true);
    }
  }

  private static long checksum(FileChannel channel, long size) throws IOException {
    CRC32C checksum = new CRC32C();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      for (long at = 0; at < size; at += CHECKED_AT_ONCE) {
        checksum.update(all.asSlice(at, Math.min(CHECKED_AT_ONCE, size - at)).asByteBuffer());
      }
    }
    return checksum.getValue();
  }

  private static void verify(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size() - TRAILER;
      ByteBuffer trailer = ByteBuffer.allocate(TRAILER).order(ByteOrder.LITTLE_ENDIAN);
      while (size > 0 && trailer.hasRemaining()) {
        if (channel.read(trailer, size + trailer.position()) < 0) {
          break;
        }
      }
      if (trailer.hasRemaining() || trailer.getLong(0) != MAGIC) {
        throw new BadModelFileException(
            file + ": is no checkpoint, or was cut short; name one that train has written");
      }
      if (trailer.getLong(8) != checksum(channel, size)) {
        throw new BadModelFileException(
            file + ": is damaged: its checksum doesn't fit; use an older copy");
      }
    } catch (NoSuchFileException e) {
      throw new BadModelFileException(file + ": no such file; check the path", e);
    } catch (IOException e) {
      throw new BadModelFileException(file + ": can't be read (" + e + "); check the disk", e);
    }
  }

  /** Gives the text of a resumed training, by the tokenizer it began with. */
  @FunctionalInterface
  public interface DataSource {
    /** Returns the tokens of the text. */
    TokenData open(Tokenizer tokenizer);
  }

  /**
   * Goes on with a training.
   *
   * @param source gives the same text as before
   * @param change makes the options to go on with from those before
   * @throws BadModelFileException if the file is damaged or no checkpoint
   * @throws BadArgumentException if the text is another one
   */
  public static Trainer resume(
      Path file,
      DataSource source,
      UnaryOperator<TrainingOptions> change,
      Kernels kernels,
      Team team) {
    verify(file);
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufMetadata metadata = gguf.metadata();
      long version = metadata.integer(PREFIX + "version");
      if (version != VERSION) {
        throw new BadModelFileException(
            file + ": is of version " + version + "; this program reads version " + VERSION);
      }
      TokenData data = source.open(Tokenizer.of(metadata));
      Trainer trainer = null;
      try {
        if (metadata.integer(PREFIX + "data") != data.checksum()) {
          throw new BadArgumentException(
              file + ": was trained on another text; give the same files in the same order");
        }
        trainer =
            new Trainer(
                NetworkConfig.of(gguf),
                change.apply(TrainingOptions.of(metadata)),
                entries(metadata),
                lora(metadata),
                data,
                kernels,
                team);
        read(trainer, gguf);
        return trainer;
      } catch (Throwable e) {
        if (trainer != null) {
          trainer.close();
        }
        data.close();
        throw e;
      }
    }
  }

  private static @Nullable LoraConfig lora(GgufMetadata metadata) {
    String rank = PREFIX + "lora.rank";
    return metadata.has(rank)
        ? new LoraConfig(
            (int) metadata.integer(rank, 1, 1 << 20), metadata.real(PREFIX + "lora.alpha"))
        : null;
  }

  private static void read(Trainer trainer, GgufFile gguf) {
    trainer.load(gguf);
    ParameterSet trained = trainer.network.trained();
    for (Parameter parameter : trained.all()) {
      String name = parameter.name();
      int columns = parameter.columns();
      if (trainer.network.adapters != null) {
        ModelTensors.decode(gguf, name, columns, parameter.value);
      }
      ModelTensors.decode(
          gguf, "m." + name, columns, trained.part(trained.firstMoments, parameter));
      ModelTensors.decode(
          gguf, "v." + name, columns, trained.part(trained.secondMoments, parameter));
    }
    trainer.history.read(gguf.metadata());
    trainer.setDone(gguf.metadata().integer(PREFIX + "step", 0, Long.MAX_VALUE));
  }

  /** Returns what a model file says beside its sizes: its vocabulary, and what it is. */
  public static Map<String, GgufValue> entries(GgufMetadata metadata) {
    Map<String, GgufValue> entries = new LinkedHashMap<>();
    for (String key : metadata.keys()) {
      boolean general =
          key.startsWith("general.")
              && !key.equals("general.architecture")
              && !key.equals("general.file_type")
              && !key.equals("general.alignment")
              && !key.equals("general.quantization_version");
      if (general || key.startsWith("tokenizer.")) {
        entries.put(key, metadata.value(key));
      }
    }
    return entries;
  }
}
