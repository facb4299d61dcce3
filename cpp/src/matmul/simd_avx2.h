/* The vocabulary of the matmul templates in AVX2 with FMA and F16C: 8 lanes of 32 bits. */
#ifndef SMALLMIND_MATMUL_SIMD_AVX2_H
#define SMALLMIND_MATMUL_SIMD_AVX2_H

#include <immintrin.h>

#include "matmul/common.h"

namespace {

struct Avx2 {
  using F = __m256;
  using I = __m256i;

  static constexpr int kLanes = 8;

  // 16 registers: four tokens by one vector, each with sums of 16 and 32 bits and a float one; a
  // single token takes all rows of a group at once, so that it reads memory in order.
  static constexpr int tile_tokens(int /* scales */) { return 4; }
  static constexpr int vectors(int tokens) { return tokens == 1 ? 4 : tokens == 2 ? 2 : 1; }

  // A tile of packed float weights: tokens by vectors of rows.
  static constexpr int kFloatPanelTokens = 6;
  static constexpr int kFloatPanelVectors = 2;

  // A tile of float weights as they are stored: rows by tokens.
  static constexpr int kFloatRows = 4;
  static constexpr int kFloatTokens = 3;

  static SM_INLINE I load(const uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static SM_INLINE void store(uint32_t* p, I v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static SM_INLINE I load_u16(const uint16_t* p) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE I load_u8(const uint8_t* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE I load_i8(const int8_t* p) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE I splat(uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }
  static SM_INLINE I zero() { return _mm256_setzero_si256(); }
  static SM_INLINE I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
  static SM_INLINE I bit_or(I a, I b) { return _mm256_or_si256(a, b); }
  static SM_INLINE I add(I a, I b) { return _mm256_add_epi32(a, b); }
  static SM_INLINE I sub(I a, I b) { return _mm256_sub_epi32(a, b); }
  template <int kBits>
  static SM_INLINE I shift_right(I v) {
    return _mm256_srli_epi32(v, kBits);
  }
  /* Each byte by itself. */
  template <int kBits>
  static SM_INLINE I shift_bytes_right(I v) {
    return bit_and(shift_right<kBits>(v), splat(0x01010101u * (0xffu >> kBits)));
  }
  template <int kBits>
  static SM_INLINE I shift_left(I v) {
    return _mm256_slli_epi32(v, kBits);
  }
  /* Looks each byte, 0 to 15, up in a table of 16 bytes. */
  static SM_INLINE I look_up(const uint8_t* table, I bytes) {
    __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), bytes);
  }

  static SM_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
  static SM_INLINE F load(const float* p, int count) { return _mm256_maskload_ps(p, mask(count)); }
  static SM_INLINE void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  static SM_INLINE void store(float* p, F v, int count) { _mm256_maskstore_ps(p, mask(count), v); }
  static SM_INLINE F load_f16(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static SM_INLINE F splat_float(float v) { return _mm256_set1_ps(v); }
  static SM_INLINE F zero_float() { return _mm256_setzero_ps(); }
  static SM_INLINE F to_float(I v) { return _mm256_cvtepi32_ps(v); }
  static SM_INLINE F as_float(I v) { return _mm256_castsi256_ps(v); }
  /* Rounds to the nearest BF16, ties to even; NaN stays. */
  static SM_INLINE F round_bf16(F v) {
    I bits = _mm256_castps_si256(v);
    I up = add(splat(0x7fff), bit_and(shift_right<16>(bits), splat(1)));
    F rounded = as_float(add(bits, up));
    F quiet = as_float(bit_or(bits, splat(0x400000)));
    F nearest = _mm256_blendv_ps(rounded, quiet, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return as_float(bit_and(_mm256_castps_si256(nearest), splat(0xffff0000)));
  }
  static SM_INLINE F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static SM_INLINE F add(F a, F b) { return _mm256_add_ps(a, b); }
  static SM_INLINE F mul_add(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static SM_INLINE float sum(F v) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

  /* Integer sums start from here. */
  static constexpr int32_t kSumStart = 0;
  using Factor = F;
  static SM_INLINE Factor factor(F scale) { return scale; }
  static SM_INLINE F scaled(I sum, const Factor& factor) { return mul(to_float(sum), factor); }

  /* The offset that products of weights of this format carry, to be taken off through the sums of
   * the activations. Weights of more than 7 bits are made signed first. */
  static constexpr int carried_offset(int offset, int max_weight) {
    return max_weight > 127 ? offset - 128 : offset;
  }

  /* A largest weight whose products are summed in the same way as those of this one. */
  static constexpr int weight_class(int max_weight) { return largest_of_bits(max_weight); }

  /* bias + sums of products of unsigned weights, up to kMaxWeight, and signed activations: four to
   * a lane at each of kSteps steps. bias: one for all lanes, or null for none. */
  template <int kMaxWeight, int kSteps>
  struct Dot {
    static constexpr int kLargest = kMaxWeight > 127 ? 128 : kMaxWeight;
    // Two products of a pair at once must fit into 16 bits; so many pairs may be added there.
    static constexpr int kRun = 32767 / (2 * 127 * kLargest);
    static_assert(kRun >= 1, "a pair of products would saturate");

    const uint32_t* start_at;
    I pairs;
    I sum;

    SM_INLINE void start(const uint32_t* bias, int32_t /* otherwise: 0 */) { start_at = bias; }

    template <int kStep>
    SM_INLINE void step(I w, I x) {
      I products;
      if constexpr (kMaxWeight > 127) {
        I signed_w = _mm256_xor_si256(w, splat(0x80808080u));
        products = _mm256_maddubs_epi16(_mm256_abs_epi8(signed_w), _mm256_sign_epi8(x, signed_w));
      } else {
        products = _mm256_maddubs_epi16(w, x);
      }
      pairs = kStep % kRun == 0 ? products : _mm256_add_epi16(pairs, products);
      if constexpr (kStep % kRun == kRun - 1 || kStep == kSteps - 1) {
        I dwords = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        sum = kStep < kRun ? dwords : add(sum, dwords);
      }
    }

    SM_INLINE I result() const { return start_at ? add(sum, splat(*start_at)) : sum; }
  };

 private:
  static SM_INLINE __m256i mask(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace

#endif
