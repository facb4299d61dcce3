package io.smallmind.presets;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to turn {@code smallmind.h} and its companions into the class {@code
 * SmallMind}: pointers become raw addresses, so that every function has one signature of
 * primitives. JavaCPP's usual overloads would copy arrays and create objects.
 */
@Properties(
    target = "io.smallmind.presets.SmallMind",
    value =
        @Platform(
            include = {"smallmind.h", "smallmind_limits.h", "smallmind_blas.h"},
            link = "smallmind",
            library = "jniSmallMind"))
@NoException
public class SmallMindMapping implements InfoMapper {
  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("SM_API").cppTypes().annotations())
        .put(new Info("defined(_WIN32)").define(false))
        .put(
            new Info("const float", "float")
                .valueTypes("float")
                .pointerTypes("@Cast(\"float*\") long"))
        .put(new Info("const char").pointerTypes("String"))
        .put(new Info("sm_blas_symbol", "sm_blas_text").skip())
        .put(
            new Info("const uint8_t", "uint8_t")
                .valueTypes("byte")
                .pointerTypes("@Cast(\"uint8_t*\") long"));
  }
}
