package io.smallmind.bench.startup;

/** How far a fresh process comes. */
enum Startup {
  /** Nothing but Java itself, from outside: what all others begin with. */
  JVM("JVM start"),
  /** The backend is chosen: the library unpacked if need be, loaded, and checked. */
  LIBRARY("backend"),
  /** The first product with a quantized matrix is there. */
  PRODUCT("first Q4_0 product"),
  /** The first product of F32 matrices is there, which takes OpenBLAS. */
  GEMM("first F32 product");

  private final String title;

  Startup(String title) {
    this.title = title;
  }

  /** Returns what it is, for a person. */
  String title() {
    return title;
  }
}
