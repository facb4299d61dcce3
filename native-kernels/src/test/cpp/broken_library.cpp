// A library with the JNI functions that a first look at a backend calls, built by tests with another
// interface version, or with results that are wrong.
#include "smallmind.h"

#ifndef ABI_VERSION
#define ABI_VERSION SM_ABI_VERSION
#endif

#define NATIVE(type, name) \
  extern "C" __attribute__((visibility("default"))) type Java_io_smallmind_presets_SmallMind_##name

NATIVE(int32_t, sm_1abi_1version)(void*, void*) { return ABI_VERSION; }
#ifndef LACKS_FUNCTIONS
NATIVE(int32_t, sm_1isa_1supported)(void*, void*, int32_t) { return 1; }
NATIVE(int32_t, sm_1row_1group)(void*, void*, int32_t, int32_t) { return 1; }
NATIVE(int64_t, sm_1packed_1bytes)(void*, void*, int32_t, int32_t, int64_t, int64_t) { return 0; }
NATIVE(int64_t, sm_1activation_1row_1bytes)(void*, void*, int64_t columns) {
  return (columns * 2 + 63) / 64 * 64;
}
NATIVE(void, sm_1quantize)(void*, void*) {}
NATIVE(void, sm_1matmul)(void*, void*) {}
#endif
