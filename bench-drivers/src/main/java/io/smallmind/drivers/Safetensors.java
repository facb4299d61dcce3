package io.smallmind.drivers;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A file of F32 tensors, mapped. */
final class Safetensors {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final JsonObject header;
  private final MemorySegment data;

  private Safetensors(JsonObject header, MemorySegment data) {
    this.header = header;
    this.data = data;
  }

  static Safetensors open(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      MemorySegment all =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.global());
      long length = all.get(LONG, 0);
      byte[] json = all.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
      JsonObject header =
          JsonParser.parseString(new String(json, StandardCharsets.UTF_8)).getAsJsonObject();
      return new Safetensors(header, all.asSlice(Long.BYTES + length));
    }
  }

  boolean has(String name) {
    return header.has(name);
  }

  private JsonObject tensor(String name) {
    JsonObject tensor = header.getAsJsonObject(name);
    if (tensor == null || !tensor.get("dtype").getAsString().equals("F32")) {
      throw new IllegalArgumentException("no F32 tensor " + name);
    }
    return tensor;
  }

  long[] shape(String name) {
    return tensor(name).getAsJsonArray("shape").asList().stream()
        .mapToLong(JsonElement::getAsLong)
        .toArray();
  }

  float[] floats(String name) {
    JsonArray offsets = tensor(name).getAsJsonArray("data_offsets");
    long begin = offsets.get(0).getAsLong();
    return data.asSlice(begin, offsets.get(1).getAsLong() - begin).toArray(FLOAT);
  }
}
