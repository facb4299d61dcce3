package io.smallmind.training;

import io.smallmind.error.FileWriteException;
import io.smallmind.model.Architecture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes a network as a safetensors file in F32, under the names and in the layouts of Hugging
 * Face's transformers: its llama pairs the halves of a head for RoPE where GGUF pairs neighbours,
 * and its gpt2 has matrices transposed.
 */
public final class Safetensors {
  private static final int HEADER_ALIGNMENT = 8;

  private static final Map<String, String> LLAMA =
      Map.ofEntries(
          Map.entry("token_embd", "model.embed_tokens"),
          Map.entry("attn_norm", "input_layernorm"),
          Map.entry("attn_q", "self_attn.q_proj"),
          Map.entry("attn_k", "self_attn.k_proj"),
          Map.entry("attn_v", "self_attn.v_proj"),
          Map.entry("attn_output", "self_attn.o_proj"),
          Map.entry("ffn_norm", "post_attention_layernorm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"),
          Map.entry("output_norm", "model.norm"),
          Map.entry("output", "lm_head"));

  private static final Map<String, String> GPT2 =
      Map.ofEntries(
          Map.entry("token_embd", "wte"),
          Map.entry("position_embd", "wpe"),
          Map.entry("attn_norm", "ln_1"),
          Map.entry("attn_qkv", "attn.c_attn"),
          Map.entry("attn_output", "attn.c_proj"),
          Map.entry("ffn_norm", "ln_2"),
          Map.entry("ffn_up", "mlp.c_fc"),
          Map.entry("ffn_down", "mlp.c_proj"),
          Map.entry("output_norm", "ln_f"),
          Map.entry("output", "lm_head"));

  private record Entry(String name, long[] shape, MemorySegment data) {
    String json(long begin) {
      String lengths =
          java.util.Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(","));
      return '"'
          + name
          + "\":{\"dtype\":\"F32\",\"shape\":["
          + lengths
          + "],\"data_offsets\":["
          + begin
          + ","
          + (begin + data.byteSize())
          + "]}";
    }
  }

  private Safetensors() {}

  /**
   * Writes a trainer's network; adapters are left out.
   *
   * @throws FileWriteException if the file can't be written; an older one stays whole
   */
  public static void write(Trainer trainer, Path target) {
    try (Arena arena = Arena.ofShared()) {
      write(entries(trainer.config, trainer.network.parameters, arena), target);
    }
  }

  private static List<Entry> entries(NetworkConfig config, ParameterSet parameters, Arena arena) {
    List<Entry> entries = new ArrayList<>();
    for (Parameter parameter : parameters.all()) {
      for (ModelTensors.Part part : ModelTensors.parts(config, parameter.spec)) {
        entries.add(entry(config, parameter, part, arena));
      }
    }
    return entries;
  }

  private static Entry entry(
      NetworkConfig config, Parameter parameter, ModelTensors.Part part, Arena arena) {
    MemorySegment rows = ModelTensors.rows(parameter, part);
    String name = part.name();
    int columns = parameter.columns();
    if (name.endsWith(".bias") || name.contains("_norm.")) {
      return new Entry(name(config.architecture(), name), new long[] {columns}, rows);
    }
    boolean gpt2 = config.architecture() == Architecture.GPT2;
    if (gpt2 && name.startsWith("blk.")) {
      MemorySegment turned = arena.allocate(rows.byteSize(), 64);
      transpose(rows, part.rows(), columns, turned);
      return new Entry(
          name(config.architecture(), name), new long[] {columns, part.rows()}, turned);
    }
    if (!gpt2 && (name.contains("attn_q.") || name.contains("attn_k."))) {
      MemorySegment halves = arena.allocate(rows.byteSize(), 64);
      splitPairs(rows, part.rows(), 4L * columns, config.headDim(), halves);
      return new Entry(
          name(config.architecture(), name), new long[] {part.rows(), columns}, halves);
    }
    return new Entry(name(config.architecture(), name), new long[] {part.rows(), columns}, rows);
  }

  private static void transpose(MemorySegment from, int rows, int columns, MemorySegment to) {
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        long source = 4L * ((long) row * columns + column);
        MemorySegment.copy(from, source, to, 4L * ((long) column * rows + row), 4);
      }
    }
  }

  /** Moves the first of each pair of a head's rows to its first half, the others to the second. */
  private static void splitPairs(
      MemorySegment from, int rows, long rowBytes, int headDim, MemorySegment to) {
    for (int row = 0; row < rows; row++) {
      int inHead = row % headDim;
      int target = row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
      MemorySegment.copy(from, row * rowBytes, to, target * rowBytes, rowBytes);
    }
  }

  /**
   * Returns what Hugging Face calls a tensor of a GGUF file, such as {@code blk.0.attn_q.weight}.
   *
   * @param architecture GPT2; all others have the names of a llama
   */
  public static String name(Architecture architecture, String name) {
    boolean gpt2 = architecture == Architecture.GPT2;
    Map<String, String> names = gpt2 ? GPT2 : LLAMA;
    int dot = name.lastIndexOf('.');
    String kind = name.substring(dot);
    String base = name.substring(0, dot);
    if (!base.startsWith("blk.")) {
      return names.getOrDefault(base, base) + kind;
    }
    String[] parts = base.split("\\.", 3);
    String layer = (gpt2 ? "h." : "model.layers.") + parts[1] + ".";
    return layer + names.getOrDefault(parts[2], parts[2]) + kind;
  }

  private static void write(List<Entry> entries, Path target) {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
    long offset = 0;
    for (Entry entry : entries) {
      header.append(',').append(entry.json(offset));
      offset += entry.data.byteSize();
    }
    header.append('}');
    while (header.length() % HEADER_ALIGNMENT != 0) {
      header.append(' ');
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        write(channel, length.putLong(json.length).flip());
        write(channel, ByteBuffer.wrap(json));
        for (Entry entry : entries) {
          for (long at = 0; at < entry.data.byteSize(); at += 1 << 28) {
            long count = Math.min(1 << 28, entry.data.byteSize() - at);
            write(channel, entry.data.asSlice(at, count).asByteBuffer());
          }
        }
        channel.force(true);
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new FileWriteException(
          target + ": can't be written (" + e + "); check disk space and permissions", e);
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
