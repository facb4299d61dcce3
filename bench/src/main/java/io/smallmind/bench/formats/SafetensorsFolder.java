package io.smallmind.bench.formats;

import com.google.gson.Gson;
import io.smallmind.gguf.GgufFile;
import io.smallmind.model.Architecture;
import io.smallmind.training.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes Llama-shaped models as Hugging Face has them: config.json and model.safetensors, F32. */
public final class SafetensorsFolder {
  /** Names folders, so that another generation of them is not mistaken for this one. */
  private static final String GENERATION = "1";

  private static final List<String> LAYER =
      List.of(
          "attn_norm",
          "attn_q",
          "attn_k",
          "attn_v",
          "attn_output",
          "ffn_norm",
          "ffn_gate",
          "ffn_up",
          "ffn_down");

  private static final int ALIGNMENT = 64;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private SafetensorsFolder() {}

  /**
   * Returns the folder of a model, written if it is not there.
   *
   * @param cache where folders are kept
   * @throws IOException if it can't be converted, with the reason
   */
  public static Path of(Path gguf, Path cache) throws IOException {
    String name = String.valueOf(gguf.getFileName()).replaceFirst("\\.gguf$", "");
    Path folder = cache.resolve("safetensors").resolve(name + "-" + GENERATION);
    Path done = folder.resolve("model.safetensors");
    if (Files.exists(done)
        && Files.getLastModifiedTime(done).compareTo(Files.getLastModifiedTime(gguf)) >= 0) {
      return folder;
    }
    try (GgufFile file = GgufFile.open(gguf)) {
      LlamaTensors tensors = new LlamaTensors(file);
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), HuggingFaceConfig.of(tensors));
      Path unfinished = folder.resolve("model.part");
      write(tensors, names(tensors), unfinished);
      Files.move(unfinished, done, StandardCopyOption.REPLACE_EXISTING);
    }
    return folder;
  }

  /**
   * Returns the rows of all matrices in a file.
   *
   * @throws IOException if it can't be converted, with the reason
   */
  public static long[] rows(Path gguf) throws IOException {
    try (GgufFile file = GgufFile.open(gguf)) {
      LlamaTensors tensors = new LlamaTensors(file);
      return names(tensors).values().stream()
          .mapToLong(tensors::rows)
          .filter(count -> count > 1)
          .toArray();
    }
  }

  /** Returns the tensors' names there and in GGUF. */
  private static Map<String, String> names(LlamaTensors tensors) {
    List<String> ours = new ArrayList<>(List.of("token_embd"));
    for (int i = 0; i < tensors.config().layers(); i++) {
      for (String part : LAYER) {
        ours.add("blk." + i + "." + part);
      }
    }
    ours.add("output_norm");
    if (!tensors.isTied()) {
      ours.add("output");
    }
    Map<String, String> names = new LinkedHashMap<>();
    for (String name : ours) {
      names.put(Safetensors.name(Architecture.LLAMA, name + ".weight"), name + ".weight");
    }
    return names;
  }

  private static void write(LlamaTensors tensors, Map<String, String> names, Path file)
      throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    long end = 0;
    for (Map.Entry<String, String> name : names.entrySet()) {
      long rows = tensors.rows(name.getValue());
      long columns = tensors.columns(name.getValue());
      long begin = end;
      end += rows * columns * Float.BYTES;
      header.put(
          name.getKey(),
          Map.of(
              "dtype",
              "F32",
              "shape",
              rows == 1 ? List.of(columns) : List.of(rows, columns),
              "data_offsets",
              List.of(begin, end)));
    }
    StringBuilder json = new StringBuilder(new Gson().toJson(header));
    while ((Long.BYTES + json.length()) % ALIGNMENT != 0) {
      json.append(' ');
    }
    byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      ByteBuffer head =
          ByteBuffer.allocate(Long.BYTES + text.length).order(ByteOrder.LITTLE_ENDIAN);
      channel.write(head.putLong(text.length).put(text).flip());
      long at = head.capacity();
      for (String name : names.values()) {
        at += write(tensors, name, channel, at);
      }
    }
  }

  private static long write(LlamaTensors tensors, String name, FileChannel channel, long at)
      throws IOException {
    float[] row = new float[Math.toIntExact(tensors.columns(name))];
    long rowBytes = (long) row.length * Float.BYTES;
    long bytes = tensors.rows(name) * rowBytes;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = channel.map(FileChannel.MapMode.READ_WRITE, at, bytes, arena);
      for (long i = 0; i < tensors.rows(name); i++) {
        tensors.decode(name, i, row);
        MemorySegment.copy(row, 0, target, FLOAT, i * rowBytes, row.length);
      }
    }
    return bytes;
  }
}
