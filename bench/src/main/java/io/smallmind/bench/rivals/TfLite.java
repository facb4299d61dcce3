package io.smallmind.bench.rivals;

import io.smallmind.tensor.TensorType;
import java.io.IOException;
import java.util.List;

/** TensorFlow Lite as JavaCPP's preset brings it. */
final class TfLite extends JavaRival implements ModelRival {
  private static final String NO_MODELS =
      "runs no models here: it takes finished .tflite files only, and what writes them of"
          + " transformers is Python's";

  /** Activations in 8 bits with a step for each row of them, weights rounded anew. */
  private static final double INT8 = 0.01;

  TfLite(RivalSettings rivals) {
    super(rivals, "TensorFlow Lite", "TfLite", coordinates());
  }

  private static List<String> coordinates() {
    String platform = ":" + MavenPackages.platform();
    String preset = "org.bytedeco:tensorflow-lite:" + Versions.of("tensorflow-lite");
    return List.of(
        preset,
        preset + platform,
        "org.bytedeco:javacpp:" + Versions.of("javacpp") + platform,
        "com.google.flatbuffers:flatbuffers-java:" + Versions.of("flatbuffers"));
  }

  @Override
  String description() {
    return "TensorFlow Lite "
        + Versions.of("tensorflow-lite")
        + " of JavaCPP's presets: fully connected layers in F32, and with 8-bit weights whose"
        + " activations it rounds itself";
  }

  @Override
  public String refuses(String type) {
    return NO_MODELS;
  }

  @Override
  public ModelEngine open(Setup setup) throws IOException {
    throw new IOException(NO_MODELS);
  }

  @Override
  public boolean multiplies(TensorType type) {
    return type == TensorType.F32 || type == TensorType.Q8_0;
  }

  @Override
  public double noise(TensorType type) {
    return type == TensorType.F32 ? 0 : INT8;
  }
}
