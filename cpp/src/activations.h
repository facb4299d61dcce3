/*
 * The layout of a row of quantized activations: the same for every instruction set.
 *
 *   int8_t  q[columns rounded up to 32]    the integers, |q| <= 127; padded to 64 bytes
 *   float   d[blocks]                      one scale per 32 integers; padded to 64 bytes
 *   int16_t sums[blocks][2]                q[0..15] and q[16..31] of each block added up;
 *                                          padded to 64 bytes
 *
 * The integers beyond the last column, up to the end of its block, are zero. The sums fold the
 * offsets and minimums of weights into a product: sum (w - offset) q = sum w q - offset sum q.
 */
#ifndef SMALLMIND_ACTIVATIONS_H
#define SMALLMIND_ACTIVATIONS_H

#include <stdint.h>

namespace {

constexpr int64_t kActivationBlock = 32;  // elements

constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

constexpr int64_t activation_blocks(int64_t columns) {
  return (columns + kActivationBlock - 1) / kActivationBlock;
}

/* Offset of the scales in a row, in bytes. */
constexpr int64_t activation_scales_offset(int64_t columns) {
  return round_up(activation_blocks(columns) * kActivationBlock, 64);
}

/* Offset of the sums in a row, in bytes. */
constexpr int64_t activation_sums_offset(int64_t columns) {
  return activation_scales_offset(columns) + round_up(activation_blocks(columns) * 4, 64);
}

/* Size of a row, in bytes. */
constexpr int64_t activation_row_bytes(int64_t columns) {
  return activation_sums_offset(columns) + round_up(activation_blocks(columns) * 4, 64);
}

static_assert(activation_row_bytes(32) == 192, "one block takes a line each for q, d and sums");
static_assert(activation_row_bytes(4096) == 4096 + 512 + 512, "long rows have no padding");

}  // namespace

#endif
