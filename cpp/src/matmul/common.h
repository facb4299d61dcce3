/* What every file of the matmul shares. */
#ifndef SMALLMIND_MATMUL_COMMON_H
#define SMALLMIND_MATMUL_COMMON_H

#include <stdint.h>
#include <string.h>

#include "unroll.h"

namespace {

/* Rows of weights that are packed together; the lanes of the vectors. */
constexpr int kGroupRows = 32;

/* The largest kernel scratch of a thread, all on its stack, stays below 128 KiB; together with what
 * compilers join to it of functions they inline, below 192 KiB. */
constexpr int64_t kSideBytes = 64 * 1024;

SM_INLINE uint32_t load_u32(const uint8_t* p) {
  uint32_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}

/* The largest weight of as many bits as this one has; instruction sets that sum products in 16 bits
 * first do so in one way for all weights of as many bits. */
constexpr int largest_of_bits(int max_weight) {
  return max_weight < 16 ? 15 : max_weight < 32 ? 31 : max_weight < 64 ? 63 : 255;
}

/* Whether a format's finite scales may be so large that S::scaled is not exact. */
template <class Format>
constexpr bool kHugeScales = false;

/* How far ahead of its loads a single tile asks memory for packed weights, in bytes, and how much
 * further L2 does; 0: not at all. All as measured. */
struct Ahead {
  int64_t near;
  int64_t further;
};

/* Of one token on Intel's processors, of float weights also a few: measured with AVX-512 on one. */
constexpr Ahead kAheadOnIntel = {1024, 2048};
constexpr Ahead kFloatAheadOnIntel = {2048, 3072};

SM_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

#endif
