package io.smallmind.drivers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.tensorflowlite.TfLiteInterpreter;
import org.bytedeco.tensorflowlite.TfLiteInterpreterOptions;
import org.bytedeco.tensorflowlite.TfLiteModel;
import org.bytedeco.tensorflowlite.global.tensorflowlite;

/** TensorFlow Lite with models of one fully connected layer. */
final class TfLite {
  private static final int LARGEST = 127;

  private TfLite() {}

  public static void main(String[] args) throws IOException {
    Requests.serve(new MatmulServer(Product::new).handlers());
  }

  /** An interpreter for each copy of the weights. */
  private static final class Product implements Multiplication {
    private final Job job;
    private final List<BytePointer> files = new ArrayList<>();
    private final List<TfLiteInterpreter> interpreters = new ArrayList<>();
    private int last;

    Product(Job job) {
      this.job = job;
      ByteBuffer file =
          switch (job.type()) {
            case "F32" -> FullyConnected.ofFloats(job.m(), job.n(), job.k(), rows(job));
            case "Q8_0" -> eightBits(job);
            default -> throw new IllegalArgumentException("no products of " + job.type());
          };
      FloatPointer a = new FloatPointer(job.aFloats());
      for (int i = 0; i < job.copies(); i++) {
        TfLiteInterpreter interpreter = interpreter(file);
        check(
            tensorflowlite.TfLiteTensorCopyFromBuffer(
                tensorflowlite.TfLiteInterpreterGetInputTensor(interpreter, 0),
                a,
                (long) job.m() * job.k() * Float.BYTES));
        interpreters.add(interpreter);
      }
    }

    private static void check(int status) {
      if (status != tensorflowlite.kTfLiteOk) {
        throw new IllegalStateException("TensorFlow Lite gave status " + status);
      }
    }

    private TfLiteInterpreter interpreter(ByteBuffer file) {
      BytePointer bytes = new BytePointer(file.remaining());
      bytes.asBuffer().put(file.duplicate());
      files.add(bytes); // The model reads it as long as it lives.
      TfLiteModel model = tensorflowlite.TfLiteModelCreate(bytes, file.remaining());
      if (model == null || model.isNull()) {
        throw new IllegalStateException("TensorFlow Lite does not understand the model");
      }
      TfLiteInterpreterOptions options = tensorflowlite.TfLiteInterpreterOptionsCreate();
      tensorflowlite.TfLiteInterpreterOptionsSetNumThreads(options, job.threads());
      TfLiteInterpreter interpreter = tensorflowlite.TfLiteInterpreterCreate(model, options);
      if (interpreter == null || interpreter.isNull()) {
        throw new IllegalStateException("TensorFlow Lite can't run the model");
      }
      check(tensorflowlite.TfLiteInterpreterAllocateTensors(interpreter));
      return interpreter;
    }

    private static float[] rows(Job job) {
      if (job.transposed()) {
        return job.bFloats();
      }
      float[] b = job.bFloats();
      float[] rows = new float[b.length];
      for (int i = 0; i < job.k(); i++) {
        for (int j = 0; j < job.n(); j++) {
          rows[j * job.k() + i] = b[i * job.n() + j];
        }
      }
      return rows;
    }

    /** Rounds the weights anew, with one step for all: activations are floats outside. */
    private static ByteBuffer eightBits(Job job) {
      float[] values = Blocks.ofQ8(job.b()).decode();
      float largest = 0;
      for (float value : values) {
        largest = Math.max(largest, Math.abs(value));
      }
      float step = largest / LARGEST;
      byte[] integers = new byte[values.length];
      for (int i = 0; i < integers.length; i++) {
        integers[i] = (byte) Math.round(values[i] / step);
      }
      return FullyConnected.ofIntegers(job.m(), job.n(), job.k(), integers, step);
    }

    @Override
    public void call(int copy) {
      last = copy;
      check(tensorflowlite.TfLiteInterpreterInvoke(interpreters.get(copy)));
    }

    @Override
    public float[] result() {
      float[] result = new float[job.m() * job.n()];
      try (FloatPointer y = new FloatPointer(result.length)) {
        check(
            tensorflowlite.TfLiteTensorCopyToBuffer(
                tensorflowlite.TfLiteInterpreterGetOutputTensor(interpreters.get(last), 0),
                y,
                (long) result.length * Float.BYTES));
        y.get(result);
      }
      return result;
    }
  }
}
