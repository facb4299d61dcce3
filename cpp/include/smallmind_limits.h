/*
 * What the machine can do at most, for benchmarks to compare with: loops that do nothing but
 * multiply, read or copy. The kernels of smallmind.h need none of this.
 *
 * As there, every function is single-threaded, keeps no state and trusts its caller; `isa` is one
 * of SM_ISA_... for which sm_isa_supported answers 1. The caller takes the time.
 */
#ifndef SMALLMIND_LIMITS_H
#define SMALLMIND_LIMITS_H

#include "smallmind.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Independent F32 multiply-adds in registers, `rounds` times over. Returns the number of
 * floating-point operations done: two for each multiply-add. */
SM_API double sm_limit_fma(int32_t isa, int64_t rounds);

/* Independent products of 8-bit integers summed into 32-bit ones, in registers, `rounds` times
 * over, by the best instruction of the set (of AMX, by the dot product). Returns the number of
 * integer operations done: a product and its addition are two; 0 if the set has no such
 * instruction. */
SM_API double sm_limit_int8_dot(int32_t isa, int64_t rounds);

/* Reads memory once, from its begin to its end; bytes: a multiple of 512. Returns a checksum. */
SM_API int64_t sm_limit_read(int32_t isa, const uint8_t* memory, int64_t bytes);

/* out = a + b and out = max(in, 0) as a plain loop, as the compiler makes it; with streaming = 1
 * by non-temporal stores where the instruction set has them, out aligned to 64 bytes and length a
 * multiple of 16. */
SM_API void sm_limit_add(int32_t isa, const float* a, const float* b, float* out, int64_t length,
                         int32_t streaming);
SM_API void sm_limit_relu(int32_t isa, const float* in, float* out, int64_t length,
                          int32_t streaming);

#ifdef __cplusplus
}
#endif

#endif
