/* Inputs of matmul for tests and benchmarks. */
#ifndef SMALLMIND_TEST_REFERENCE_INPUTS_H
#define SMALLMIND_TEST_REFERENCE_INPUTS_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include "activations.h"
#include "reference_formats.h"

namespace reference {

/* The nearest BF16, ties to even. */
inline double round_bf16(float x) {
  int exponent = 0;
  const double significand = std::frexp(static_cast<double>(x), &exponent);
  return std::isfinite(x) ? std::ldexp(std::nearbyint(std::ldexp(significand, 8)), exponent - 8)
                          : static_cast<double>(x);
}

/* The specification of activation quantization, in the layout of activations.h. */
inline void quantize(const float* x, int64_t columns, uint8_t* row) {
  std::memset(row, 0, static_cast<size_t>(activation_row_bytes(columns)));
  int8_t* q = reinterpret_cast<int8_t*>(row);
  for (int64_t b = 0; b < activation_blocks(columns); b++) {
    const int64_t end = std::min(columns, 32 * b + 32);
    float most = 0;
    bool finite = true;
    for (int64_t k = 32 * b; k < end; k++) {
      finite = finite && std::isfinite(x[k]);
      most = std::max(most, std::fabs(x[k]));
    }
    float d = !finite ? NAN : most < 0x1p-100f ? 0.0f : most / 127.0f;
    int16_t sums[2] = {};
    for (int64_t k = 32 * b; k < end && d > 0; k++) {
      q[k] = static_cast<int8_t>(std::nearbyint(x[k] * (127.0f / most)));
      sums[k % 32 / 16] = static_cast<int16_t>(sums[k % 32 / 16] + q[k]);
    }
    std::memcpy(row + activation_scales_offset(columns) + 4 * b, &d, 4);
    std::memcpy(row + activation_sums_offset(columns) + 4 * b, sums, 4);
  }
}

enum class Fill { kRandom, kZeros, kOnes, kExtreme };

/* Random blocks with sensible scales, or with the largest and smallest ones, or blocks whose
 * integers are all least or all greatest. */
inline void fill_weights(const FormatInfo& format, int64_t blocks, Fill fill, std::mt19937& random,
                         uint8_t* w) {
  for (int64_t b = 0; b < blocks; b++) {
    uint8_t* block = w + b * format.bytes;
    for (int64_t i = 0; i < format.bytes; i++) {
      block[i] = fill == Fill::kOnes    ? 0xff
                 : fill == Fill::kZeros ? 0
                                        : static_cast<uint8_t>(random());
    }
    auto put_half = [&](int at, int exponent) {
      // A scale of 2^(exponent - 15), with some fraction and sign.
      int bits = exponent << 10 | static_cast<int>(random() & 0x83ff);
      block[at] = static_cast<uint8_t>(bits);
      block[at + 1] = static_cast<uint8_t>(bits >> 8);
    };
    for (int at : format.scale_at) {
      if (at >= 0) {
        put_half(at, fill == Fill::kExtreme ? static_cast<int>(random() % 2 * 30)
                                            : static_cast<int>(random() % 8 + 5));
      }
    }
    if (format.type == 39) {
      // The largest by which sums of integers are finite.
      block[0] =
          static_cast<uint8_t>(fill == Fill::kExtreme ? random() % 5 + 233 : random() % 16 + 118);
    } else if (format.type == 1) {
      put_half(0, static_cast<int>(random() % 8 + 10));
    } else if (!format.quantized) {
      std::uniform_real_distribution<float> uniform(-2, 2);
      float f = uniform(random);
      uint32_t bits;
      std::memcpy(&bits, &f, 4);
      if (format.type == 30) {
        bits >>= 16;
      }
      std::memcpy(block, &bits, static_cast<size_t>(format.bytes));
    }
  }
}

}  // namespace reference

#endif
