package io.smallmind.drivers;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.gson.JsonObject;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * A model with the names of Hugging Face's exports. Keys and values stay in place: a tensor of the
 * whole context is both what was before and what is after.
 */
final class OnnxDecoder implements Decoder {
  private final OrtEnvironment environment;
  private final OrtSession session;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();
  private final Map<String, OnnxTensor> outputs = new HashMap<>();
  private final FloatBuffer logits;

  OnnxDecoder(JsonObject request) throws OrtException {
    environment = OnnxRuntime.environment(request.get("threads").getAsInt());
    session = OnnxRuntime.session(environment, request.get("model").getAsString());
    int capacity = request.get("capacity").getAsInt();
    for (NodeInfo input : session.getInputInfo().values()) {
      if (input.getName().startsWith("past_key_values.")) {
        long[] shape = shape(input);
        shape[2] = capacity;
        OnnxTensor tensor = tensor(shape);
        inputs.put(input.getName(), tensor);
        outputs.put(input.getName().replace("past_key_values", "present"), tensor);
      }
    }
    NodeInfo output = session.getOutputInfo().get("logits");
    if (output == null) {
      throw new IllegalArgumentException("the model gives no logits");
    }
    long[] shape = shape(output);
    logits = OnnxRuntime.floats(shape[2]);
    outputs.put("logits", OnnxTensor.createTensor(environment, logits, shape));
  }

  private static long[] shape(NodeInfo info) {
    return ((TensorInfo) info.getInfo()).getShape().clone();
  }

  private OnnxTensor tensor(long[] shape) throws OrtException {
    long length = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return OnnxTensor.createTensor(environment, OnnxRuntime.floats(length), shape);
  }

  @Override
  public float[] read(int[] tokens, int position) throws OrtException {
    long[] ids = Arrays.stream(tokens).asLongStream().toArray();
    long[] mask = new long[position + tokens.length];
    Arrays.fill(mask, 1);
    try (OnnxTensor idTensor = tensor(ids, ids.length);
        OnnxTensor maskTensor = tensor(mask, mask.length)) {
      inputs.put("input_ids", idTensor);
      inputs.put("attention_mask", maskTensor);
      session.run(inputs, Set.of(), outputs).close();
    }
    float[] scores = new float[logits.capacity()];
    logits.get(0, scores);
    return scores;
  }

  private OnnxTensor tensor(long[] row, int length) throws OrtException {
    return OnnxTensor.createTensor(environment, LongBuffer.wrap(row), new long[] {1, length});
  }
}
