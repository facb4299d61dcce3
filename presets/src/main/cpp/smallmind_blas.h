/*
 * What JavaCPP's class of OpenBLAS leaves out: its threads and its description. Part of the JNI
 * library, as none of it needs the kernels.
 *
 * `library` is the file of OpenBLAS, which JavaCPP has loaded already.
 */
#ifndef SMALLMIND_BLAS_H
#define SMALLMIND_BLAS_H

#include <stdint.h>
#include <stddef.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

static inline void* sm_blas_symbol(const char* library, const char* name) {
#if defined(_WIN32)
  HMODULE module = GetModuleHandleA(library);
  return module ? (void*)GetProcAddress(module, name) : NULL;
#else
  void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) {
    return NULL;
  }
  void* symbol = dlsym(handle, name);
  dlclose(handle); /* JavaCPP's own handle keeps it loaded */
  return symbol;
#endif
}

/* Returns 1, or 0 if the library is no OpenBLAS. */
static inline int32_t sm_blas_set_threads(const char* library, int32_t threads) {
  void (*set)(int) = (void (*)(int))sm_blas_symbol(library, "openblas_set_num_threads");
  if (!set) {
    return 0;
  }
  set(threads);
  return 1;
}

static inline const char* sm_blas_text(const char* library, const char* function) {
  char* (*get)(void) = (char* (*)(void))sm_blas_symbol(library, function);
  return get ? get() : "unknown";
}

/* Returns version and build options. */
static inline const char* sm_blas_config(const char* library) {
  return sm_blas_text(library, "openblas_get_config");
}

/* Returns the name of the processor whose kernels are used. */
static inline const char* sm_blas_core(const char* library) {
  return sm_blas_text(library, "openblas_get_corename");
}

#endif
