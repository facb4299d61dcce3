/* What every file of the matmul shares. */
#ifndef SMALLMIND_MATMUL_COMMON_H
#define SMALLMIND_MATMUL_COMMON_H

#include <stdint.h>
#include <string.h>

#include "unroll.h"

namespace {

/* Rows of weights that are packed together; the lanes of the vectors. */
constexpr int kGroupRows = 32;

/* The largest kernel scratch of a thread, all on its stack, stays below 128 KiB. */
constexpr int64_t kSideBytes = 64 * 1024;

SM_INLINE uint32_t load_u32(const uint8_t* p) {
  uint32_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}

SM_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

#endif
