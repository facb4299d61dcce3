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

/* On Intel's processors: as measured on one. */
constexpr Ahead kAheadOnIntel = {2048, 3072};

/* Asks for a line, into the cache of a level, right behind the load of `loaded`. Compilers move
 * __builtin_prefetch and put those of a block side by side, where they hold up the loads behind
 * them. */
template <int kLevel, class Vector>
SM_INLINE void request_behind([[maybe_unused]] Vector& loaded, const uint8_t* line) {
#if defined(__x86_64__)
  if constexpr (kLevel == 1) {
    __asm__ volatile("prefetcht0 %1" : "+v"(loaded) : "m"(*line));
  } else {
    __asm__ volatile("prefetcht1 %1" : "+v"(loaded) : "m"(*line));
  }
#else
  __builtin_prefetch(line, 0, 4 - kLevel);
#endif
}

SM_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

#endif
