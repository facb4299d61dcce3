import org.jspecify.annotations.NullMarked;

/** Language models and quantized linear algebra on the CPU, in pure Java. */
@NullMarked
module io.smallmind {
  requires static jdk.incubator.vector;
  requires static jdk.jfr;
  requires static org.jspecify;

  exports io.smallmind;
  exports io.smallmind.convert;
  exports io.smallmind.error;
  exports io.smallmind.gguf;
  exports io.smallmind.kernels;
  exports io.smallmind.model;
  exports io.smallmind.sampling;
  exports io.smallmind.tensor;
  exports io.smallmind.tokenizer;
  exports io.smallmind.training;

  uses io.smallmind.kernels.KernelsProvider;
}
