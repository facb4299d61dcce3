/*
 * Plain decoders of the stored formats, one value at a time in double precision, for tests. They
 * share no code with the kernels. Source: the dequantize functions' formulas in ggml-quants.c and
 * the block structures in ggml-common.h.
 */
#ifndef SMALLMIND_TEST_REFERENCE_FORMATS_H
#define SMALLMIND_TEST_REFERENCE_FORMATS_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace reference {

struct FormatInfo {
  const char* name;
  int32_t type;     // the GGUF number
  int64_t block;    // elements
  int64_t bytes;    // of a block
  int scale_at[2];  // where F16 scales of a block lie, in bytes; -1: none
  bool quantized;
};

constexpr FormatInfo kFormats[] = {
    {"F32", 0, 1, 4, {-1, -1}, false},       {"F16", 1, 1, 2, {-1, -1}, false},
    {"BF16", 30, 1, 2, {-1, -1}, false},     {"Q4_0", 2, 32, 18, {0, -1}, true},
    {"Q4_1", 3, 32, 20, {0, 2}, true},       {"Q5_0", 6, 32, 22, {0, -1}, true},
    {"Q5_1", 7, 32, 24, {0, 2}, true},       {"Q8_0", 8, 32, 34, {0, -1}, true},
    {"Q2_K", 10, 256, 84, {80, 82}, true},   {"Q3_K", 11, 256, 110, {108, -1}, true},
    {"Q4_K", 12, 256, 144, {0, 2}, true},    {"Q5_K", 13, 256, 176, {0, 2}, true},
    {"Q6_K", 14, 256, 210, {208, -1}, true}, {"IQ4_NL", 20, 32, 18, {0, -1}, true},
    {"IQ4_XS", 23, 256, 136, {0, -1}, true}, {"MXFP4", 39, 32, 17, {-1, -1}, true},
};

inline double half_at(const uint8_t* p) {
  int bits = p[0] | p[1] << 8;
  int exponent = bits >> 10 & 31;
  int fraction = bits & 1023;
  double sign = bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction ? std::nan("") : sign * INFINITY;
  }
  return sign *
         (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

inline double iq4(int q) {
  static const int kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};
  return kLevels[q];
}

/* Scale and minimum of sub-block g of Q4_K and Q5_K. */
inline void six_bits(const uint8_t* s, int g, int* scale, int* minimum) {
  if (g < 4) {
    *scale = s[g] & 63;
    *minimum = s[g + 4] & 63;
  } else {
    *scale = (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
    *minimum = s[g + 4] >> 4 | (s[g] >> 6) << 4;
  }
}

/* Value i of the block at b. */
inline double value(int32_t type, const uint8_t* b, int i) {
  const int j = i % 16;
  const bool upper = i >= 16;
  switch (type) {
    case 0: {
      float f;
      std::memcpy(&f, b, 4);
      return f;
    }
    case 1:
      return half_at(b);
    case 30: {
      uint32_t bits = static_cast<uint32_t>(b[0] | b[1] << 8) << 16;
      float f;
      std::memcpy(&f, &bits, 4);
      return f;
    }
    case 2:
      return half_at(b) * ((upper ? b[2 + j] >> 4 : b[2 + j] & 15) - 8);
    case 3:
      return half_at(b) * (upper ? b[4 + j] >> 4 : b[4 + j] & 15) + half_at(b + 2);
    case 6: {
      int high = b[2 + i / 8] >> i % 8 & 1;
      return half_at(b) * ((upper ? b[6 + j] >> 4 : b[6 + j] & 15) + 16 * high - 16);
    }
    case 7: {
      int high = b[4 + i / 8] >> i % 8 & 1;
      return half_at(b) * ((upper ? b[8 + j] >> 4 : b[8 + j] & 15) + 16 * high) + half_at(b + 2);
    }
    case 8:
      return half_at(b) * static_cast<int8_t>(b[2 + i]);
    case 20:
      return half_at(b) * iq4(upper ? b[2 + j] >> 4 : b[2 + j] & 15);
    case 39: {
      static const double kE2m1[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
      int q = upper ? b[1 + j] >> 4 : b[1 + j] & 15;
      return std::ldexp(q & 8 ? -kE2m1[q & 7] : kE2m1[q & 7], b[0] - 127);
    }
    case 10: {
      int g = i / 16;
      int q = b[16 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
      return half_at(b + 80) * (b[g] & 15) * q - half_at(b + 82) * (b[g] >> 4);
    }
    case 11: {
      int g = i / 16;
      int low = g < 8 ? b[96 + g] & 15 : b[96 + g - 8] >> 4;
      int scale = low | (b[104 + g % 4] >> g / 4 * 2 & 3) << 4;
      int q = (b[32 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) | (b[i % 32] >> i / 32 & 1)
                                                                            << 2;
      return half_at(b + 108) * (scale - 32) * (q - 4);
    }
    case 12:
    case 13: {
      int scale, minimum;
      six_bits(b + 4, i / 32, &scale, &minimum);
      const uint8_t* low = b + (type == 12 ? 16 : 48);
      int byte = low[i / 64 * 32 + i % 32];
      int q = i / 32 % 2 ? byte >> 4 : byte & 15;
      if (type == 13) {
        q |= (b[16 + i % 32] >> i / 32 & 1) << 4;
      }
      return half_at(b) * scale * q - half_at(b + 2) * minimum;
    }
    case 14: {
      int half = i / 128;
      int c = i % 128 / 32;
      int byte = b[64 * half + 32 * (c % 2) + i % 32];
      int q = (c / 2 ? byte >> 4 : byte & 15) | (b[128 + 32 * half + i % 32] >> 2 * c & 3) << 4;
      return half_at(b + 208) * static_cast<int8_t>(b[192 + i / 16]) * (q - 32);
    }
    case 23: {
      int g = i / 32;
      int scale = (b[4 + g / 2] >> g % 2 * 4 & 15) | ((b[2] | b[3] << 8) >> 2 * g & 3) << 4;
      int byte = b[8 + 16 * g + j];
      return half_at(b) * (scale - 32) * iq4(i % 32 >= 16 ? byte >> 4 : byte & 15);
    }
    default:
      return std::nan("");
  }
}

}  // namespace reference

#endif
