package io.smallmind.drivers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime on its CPU provider, running models that the bench wrote. */
final class OnnxRuntime {
  private OnnxRuntime() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(
        new MatmulServer(Product::new).handlers(), new ModelServer(OnnxDecoder::new).handlers());
  }

  /** Returns the only environment of the process: all sessions share its threads. */
  static OrtEnvironment environment(int threads) throws OrtException {
    OrtEnvironment.ThreadingOptions options = new OrtEnvironment.ThreadingOptions();
    options.setGlobalIntraOpNumThreads(threads);
    options.setGlobalInterOpNumThreads(1);
    return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "bench", options);
  }

  static OrtSession session(OrtEnvironment environment, String model) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.disablePerSessionThreads();
    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
    return environment.createSession(model, options);
  }

  /** Returns a buffer for a tensor. */
  static FloatBuffer floats(long length) {
    return ByteBuffer.allocateDirect(Math.toIntExact(length * Float.BYTES))
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /** A session for each copy of the weights; input and output stay where they are. */
  private static final class Product implements Multiplication {
    private final List<OrtSession> sessions = new ArrayList<>();
    private final FloatBuffer y;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs;

    Product(Job job) throws OrtException {
      OrtEnvironment environment = environment(job.threads());
      for (int i = 0; i < job.copies(); i++) {
        sessions.add(session(environment, job.model()));
      }
      FloatBuffer a = floats((long) job.m() * job.k());
      a.put(job.aFloats()).flip();
      y = floats((long) job.m() * job.n());
      inputs = Map.of("a", OnnxTensor.createTensor(environment, a, new long[] {job.m(), job.k()}));
      outputs = Map.of("y", OnnxTensor.createTensor(environment, y, new long[] {job.m(), job.n()}));
    }

    @Override
    public void call(int copy) throws OrtException {
      sessions.get(copy).run(inputs, Set.of(), outputs).close();
    }

    @Override
    public float[] result() {
      float[] result = new float[y.capacity()];
      y.get(0, result);
      return result;
    }
  }
}
