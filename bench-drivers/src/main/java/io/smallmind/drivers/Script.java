package io.smallmind.drivers;

import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Functions in TorchScript, which reaches operators that PyTorch's C++ functions leave out. */
final class Script {
  private final JitModule module = new JitModule(new QualifiedName("Bench"));

  /**
   * Compiles functions.
   *
   * @param source methods: the first parameter of each is {@code self}
   */
  Script(String source) {
    // As without a script, operator by operator: else each new length is specialized anew.
    torch.setGraphExecutorOptimize(false);
    module.define(source);
  }

  /**
   * Calls a function that returns a tensor.
   *
   * @param arguments Tensor, Long or Double each
   */
  Tensor call(String function, Object... arguments) {
    IValueVector values = new IValueVector();
    for (Object argument : arguments) {
      values.push_back(
          switch (argument) {
            case Tensor tensor -> new IValue(tensor);
            case Long integer -> new IValue(integer.longValue());
            case Integer integer -> new IValue(integer.longValue());
            case Number real -> new IValue(real.doubleValue());
            default -> throw new IllegalArgumentException("no such argument: " + argument);
          });
    }
    // The tensor that a value gives is a part of it, and would go with it: this one stays.
    return new Tensor(module.get_method(function).apply(values).toTensor());
  }
}
