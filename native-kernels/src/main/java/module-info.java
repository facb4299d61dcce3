import io.smallmind.kernels.KernelsProvider;
import io.smallmind.natives.NativeKernelsProvider;
import org.jspecify.annotations.NullMarked;

/** Kernels in C++ and OpenBLAS behind the interface of {@code io.smallmind}; nothing to call. */
@NullMarked
module io.smallmind.natives {
  requires io.smallmind;
  requires io.smallmind.presets;
  requires org.bytedeco.javacpp;
  requires org.bytedeco.openblas;
  requires static org.jspecify;

  provides KernelsProvider with
      NativeKernelsProvider;
}
