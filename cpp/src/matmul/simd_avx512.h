/* The vocabulary of the matmul templates in AVX-512 with VNNI: 16 lanes of 32 bits. */
#ifndef SMALLMIND_MATMUL_SIMD_AVX512_H
#define SMALLMIND_MATMUL_SIMD_AVX512_H

// GCC 12 takes the undefined operands of these intrinsics for uninitialized ones (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "matmul/common.h"

namespace {

struct Avx512 {
  using F = __m512;
  using I = __m512i;

  static constexpr int kLanes = 16;

  // A tile of 6 tokens by 2 vectors keeps 12 integer and 12 float sums in 32 registers; with two
  // scales per block there are twice as many integer sums.
  static constexpr int tile_tokens(int scales) { return scales == 2 ? 4 : 6; }
  static constexpr int vectors(int /* tokens */) { return 2; }

  // A tile of packed float weights: tokens by vectors of rows.
  static constexpr int kFloatPanelTokens = 12;
  static constexpr int kFloatPanelVectors = 2;

  // A tile of float weights as they are stored: rows by tokens.
  static constexpr int kFloatRows = 4;
  static constexpr int kFloatTokens = 6;

  static SM_INLINE I load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  static SM_INLINE void store(uint32_t* p, I v) { _mm512_storeu_si512(p, v); }
  static SM_INLINE I load_u16(const uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static SM_INLINE I load_u8(const uint8_t* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE I load_i8(const int8_t* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE I splat(uint32_t v) { return _mm512_set1_epi32(static_cast<int>(v)); }
  static SM_INLINE I zero() { return _mm512_setzero_si512(); }
  static SM_INLINE I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
  static SM_INLINE I bit_or(I a, I b) { return _mm512_or_si512(a, b); }
  static SM_INLINE I add(I a, I b) { return _mm512_add_epi32(a, b); }
  static SM_INLINE I sub(I a, I b) { return _mm512_sub_epi32(a, b); }
  static SM_INLINE I sub_bytes(I a, I b) { return _mm512_sub_epi8(a, b); }
  template <int kBits>
  static SM_INLINE I shift_right(I v) {
    return _mm512_srli_epi32(v, kBits);
  }
  /* Each byte by itself. */
  template <int kBits>
  static SM_INLINE I shift_bytes_right(I v) {
    return bit_and(shift_right<kBits>(v), splat(0x01010101u * (0xffu >> kBits)));
  }
  template <int kBits>
  static SM_INLINE I shift_left(I v) {
    return _mm512_slli_epi32(v, kBits);
  }
  /* Looks each byte, 0 to 15, up in a table of 16 bytes. */
  static SM_INLINE I look_up(const uint8_t* table, I bytes) {
    __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), bytes);
  }

  static SM_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
  static SM_INLINE F load(const float* p, int count) {
    return _mm512_maskz_loadu_ps(mask(count), p);
  }
  static SM_INLINE void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static SM_INLINE void store(float* p, F v, int count) {
    _mm512_mask_storeu_ps(p, mask(count), v);
  }
  static SM_INLINE F load_f16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static SM_INLINE F splat_float(float v) { return _mm512_set1_ps(v); }
  static SM_INLINE F zero_float() { return _mm512_setzero_ps(); }
  static SM_INLINE F to_float(I v) { return _mm512_cvtepi32_ps(v); }
  static SM_INLINE F as_float(I v) { return _mm512_castsi512_ps(v); }
  /* Rounds to the nearest BF16, ties to even; NaN stays. */
  static SM_INLINE F round_bf16(F v) {
    I bits = _mm512_castps_si512(v);
    I up = add(splat(0x7fff), bit_and(shift_right<16>(bits), splat(1)));
    bits = _mm512_mask_add_epi32(bit_or(bits, splat(0x400000)),
                                 _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), bits, up);
    return as_float(bit_and(bits, splat(0xffff0000)));
  }
  static SM_INLINE F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static SM_INLINE F add(F a, F b) { return _mm512_add_ps(a, b); }
  static SM_INLINE F mul_add(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static SM_INLINE float sum(F v) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

  /* Integer sums start from here: the bits of the float 1.5 * 2^23, whose last place is 1, so that
   * a sum, taken for a float, is larger than that by what was added. One multiply-add then does
   * what conversion and multiplication would, with the same bits. */
  static constexpr int32_t kSumStart = 0x4b400000;
  struct Factor {
    F scale;
    F start;  // of the scaled sum
  };
  /* Exact for finite scales of up to 22 bits below 2^104. */
  static SM_INLINE Factor factor(F scale) { return {scale, mul(scale, splat_float(-12582912.0f))}; }
  static SM_INLINE F scaled(I sum, const Factor& factor) {
    return mul_add(as_float(sum), factor.scale, factor.start);
  }

  /* The offset that products of weights of this format carry, to be taken off through the sums of
   * the activations. */
  static constexpr int carried_offset(int offset, int /* max_weight */) { return offset; }

  /* A largest weight whose products are summed in the same way as those of this one. */
  static constexpr int weight_class(int /* max_weight */) { return 255; }

  /* bias + sums of products of unsigned weights, up to kMaxWeight, and signed activations: four to
   * a lane at each of kSteps steps. bias: one for all lanes, or null for none. */
  template <int kMaxWeight, int kSteps>
  struct Dot {
    I sum;
    SM_INLINE void start(const uint32_t* bias, int32_t otherwise) {
      sum = splat(bias ? *bias : static_cast<uint32_t>(otherwise));
    }
    template <int kStep>
    SM_INLINE void step(I w, I x) {
      sum = _mm512_dpbusd_epi32(sum, w, x);
    }
    SM_INLINE I result() const { return sum; }
  };

 private:
  static SM_INLINE __mmask16 mask(int count) {
    return static_cast<__mmask16>(count >= 16 ? 0xffff : (1 << count) - 1);
  }
};

}  // namespace

#endif
