package io.smallmind.bench;

import io.smallmind.kernels.Kernels;
import io.smallmind.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Kernels that do as others do, but for some faults. */
final class BrokenKernels {
  /** What goes wrong. */
  enum Fault {
    /** One output of each range is off by a hundredth. */
    SLIGHTLY_WRONG,
    /** The last row of each range is not written. */
    ROW_MISSING,
    /** It throws. */
    THROWS
  }

  private BrokenKernels() {}

  /** Returns kernels that are wrong in gemm, matmul and binary operations. */
  static Kernels of(Kernels right, String name, Fault fault) {
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          switch (method.getName()) {
            case "name":
              return name;
            case "hashCode":
              return System.identityHashCode(proxy);
            case "equals":
              return proxy == arguments[0];
            default:
              try {
                return call(right, method, arguments, fault);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
          }
        };
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class}, handler);
  }

  private static Object call(
      Kernels right, java.lang.reflect.Method method, Object[] arguments, Fault fault)
      throws IllegalAccessException, InvocationTargetException {
    method.setAccessible(true);
    Object result = method.invoke(right, arguments);
    switch (method.getName()) {
      case "gemm":
        long rows = (Long) arguments[2];
        long ldc = (Long) arguments[15];
        spoil((MemorySegment) arguments[13], (Long) arguments[14], rows, ldc * Float.BYTES, fault);
        break;
      case "matmul":
        Matrix y = (Matrix) arguments[6];
        long begin = (Long) arguments[1];
        long offset = y.rowOffset(begin) + (Long) arguments[4] * Float.BYTES;
        spoil(y.segment(), offset, (Long) arguments[2] - begin, y.rowStride(), fault);
        break;
      case "binary":
        spoil((MemorySegment) arguments[5], (Long) arguments[6], 1, 0, fault);
        break;
      default:
        break;
    }
    return result;
  }

  private static void spoil(MemorySegment out, long offset, long rows, long stride, Fault fault) {
    if (rows == 0) {
      return;
    }
    switch (fault) {
      case SLIGHTLY_WRONG -> {
        float value = out.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset);
        out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset, value * 1.01f + 0.01f);
      }
      case ROW_MISSING ->
          out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + (rows - 1) * stride, Float.NaN);
      case THROWS -> throw new IllegalStateException("the kernel broke");
    }
  }
}
