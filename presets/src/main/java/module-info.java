/** The C interface of the native kernels, bound by JavaCPP. */
module io.smallmind.presets {
  requires org.bytedeco.javacpp;

  exports io.smallmind.presets;
}
