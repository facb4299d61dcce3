package io.smallmind;

import io.smallmind.testing.TestData;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What tests of sessions share: a trained model, loaded once for each backend. */
@ParameterizedClass
@MethodSource("io.smallmind.testing.Backends#names")
abstract class OnTrainedModel {
  static final String PROMPT = "Once upon a time";

  static LanguageModel model;

  @Parameter String backend;

  @BeforeParameterizedClassInvocation
  static void load(String backend) {
    ModelOptions options = ModelOptions.defaults().withBackend(backend);
    model = LanguageModel.load(TestData.path("models/stories260K.gguf"), options);
  }

  @AfterParameterizedClassInvocation
  static void close() {
    if (model != null) {
      model.close();
    }
  }
}
