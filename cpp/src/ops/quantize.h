/* Quantization of activations into the layout of activations.h, after one of simd_*.h was
 * included. */
#ifndef SMALLMIND_OPS_QUANTIZE_H
#define SMALLMIND_OPS_QUANTIZE_H

#include <math.h>
#include <string.h>

#include "activations.h"
#include "ops/rows.h"

namespace {

/* Blocks whose largest magnitude is below this count as zero: its reciprocal would overflow. */
constexpr float kActivationTiny = 0x1p-100f;

constexpr int64_t kHalfBlock = kActivationBlock / 2;

/* Writes the integers and their two sums, and returns the scale. */
inline float quantize_block(const float* x, int8_t* q, int16_t* sums) {
  // Magnitudes compare like integers, with infinity and NaN above all finite ones.
  Ints largest = bits(absolute(load(x)));
  for (int64_t i = kLanes; i < kActivationBlock; i += kLanes) {
    largest = larger(largest, bits(absolute(load(x + i))));
  }
  const int32_t largest_bits = reduce_max(largest);
  float max;
  memcpy(&max, &largest_bits, sizeof(max));
  if (!(max >= kActivationTiny && max <= __FLT_MAX__)) {
    memset(q, 0, kActivationBlock);
    sums[0] = 0;
    sums[1] = 0;
    return max < kActivationTiny ? 0.0f : NAN;
  }
  const Floats inverse = fill(127.0f / max);
  for (int64_t half = 0; half < 2; half++) {
    Ints sum = to_ints_even(fill(0.0f));
    for (int64_t i = half * kHalfBlock; i < (half + 1) * kHalfBlock; i += kLanes) {
      Ints integers = to_ints_even(mul(load(x + i), inverse));
      store_bytes(q + i, integers);
      sum = add(sum, integers);
    }
    sums[half] = static_cast<int16_t>(reduce_add(sum));
  }
  return max / 127.0f;
}

void quantize(const float* x, int64_t x_stride, int64_t columns, uint8_t* target, int64_t row_begin,
              int64_t row_end) {
  const int64_t blocks = activation_blocks(columns);
  const int64_t whole = columns / kActivationBlock;
  const int64_t row_bytes = activation_row_bytes(columns);
  for (int64_t row = row_begin; row < row_end; row++) {
    const float* from = row_of(x, x_stride, row);
    uint8_t* to = target + row * row_bytes;
    int8_t* q = reinterpret_cast<int8_t*>(to);
    float* scales = reinterpret_cast<float*>(to + activation_scales_offset(columns));
    int16_t* sums = reinterpret_cast<int16_t*>(to + activation_sums_offset(columns));
    for (int64_t block = 0; block < whole; block++) {
      scales[block] = quantize_block(from + block * kActivationBlock, q + block * kActivationBlock,
                                     sums + 2 * block);
    }
    if (whole < blocks) {
      float rest[kActivationBlock] = {};
      memcpy(rest, from + whole * kActivationBlock,
             static_cast<size_t>(columns - whole * kActivationBlock) * sizeof(float));
      scales[whole] = quantize_block(rest, q + whole * kActivationBlock, sums + 2 * whole);
    }
    // Kernels may read padding with the last block, so it is never left as it was found.
    memset(q + blocks * kActivationBlock, 0,
           static_cast<size_t>(activation_scales_offset(columns) - blocks * kActivationBlock));
    memset(scales + blocks, 0,
           static_cast<size_t>(to + activation_sums_offset(columns) -
                               reinterpret_cast<uint8_t*>(scales + blocks)));
    memset(sums + 2 * blocks, 0,
           static_cast<size_t>(to + row_bytes - reinterpret_cast<uint8_t*>(sums + 2 * blocks)));
  }
}

}  // namespace

#endif
