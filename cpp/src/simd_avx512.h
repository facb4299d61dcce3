/* The vector vocabulary of simd_avx2.h for AVX-512: vectors of 16 floats or 32-bit integers. */
#ifndef SMALLMIND_SIMD_AVX512_H
#define SMALLMIND_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

namespace {

using Floats = __m512;
using Ints = __m512i;
using Mask = __mmask16;

constexpr int64_t kLanes = 16;
constexpr int kRegisters = 32;

inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
inline void stream(float* p, Floats v) { _mm512_stream_ps(p, v); }
inline void stream_end() { _mm_sfence(); }

inline Mask first_lanes(int64_t n) { return static_cast<Mask>((1u << n) - 1); }
inline Floats load_first(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store_first(float* p, Floats v, int64_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), v);
}

inline Floats fill(float value) { return _mm512_set1_ps(value); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats negate_multiply_add(Floats a, Floats b, Floats c) {
  return _mm512_fnmadd_ps(a, b, c);
}

inline Floats at_least(Floats limit, Floats v) { return _mm512_max_ps(limit, v); }
inline Floats at_most(Floats limit, Floats v) { return _mm512_min_ps(limit, v); }

inline Mask less(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline Floats select(Mask mask, Floats yes, Floats no) {
  return _mm512_mask_blend_ps(mask, no, yes);
}
inline Floats zero_where(Mask mask, Floats v) {
  return _mm512_maskz_mov_ps(static_cast<Mask>(~mask), v);
}
inline Floats absolute(Floats v) { return _mm512_abs_ps(v); }
inline Floats with_sign_of(Floats sign, Floats magnitude) {
  return _mm512_or_ps(_mm512_and_ps(fill(-0.0f), sign), magnitude);
}

inline Floats round_even(Floats v) {
  return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline Ints to_ints_even(Floats v) { return _mm512_cvtps_epi32(v); }
inline Floats multiply_power_of_two(Floats v, Floats n) { return _mm512_scalef_ps(v, n); }

inline Ints bits(Floats v) { return _mm512_castps_si512(v); }
inline Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
inline Ints larger(Ints a, Ints b) { return _mm512_max_epi32(a, b); }

inline float reduce_add(Floats v) { return _mm512_reduce_add_ps(v); }
inline float reduce_max(Floats v) { return _mm512_reduce_max_ps(v); }
inline int32_t reduce_add(Ints v) { return _mm512_reduce_add_epi32(v); }
inline int32_t reduce_max(Ints v) { return _mm512_reduce_max_epi32(v); }

inline void store_bytes(int8_t* p, Ints v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(v));
}

/* Sums of vectors in halves are as good as in whole, and half the work. */
inline __m256 fold_halves(Floats v) {
  return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}
inline void store_sums(float* p, Floats a, Floats b, Floats c, Floats d) {
  __m256 a2 = fold_halves(a);
  __m256 b2 = fold_halves(b);
  __m256 c2 = fold_halves(c);
  __m256 d2 = fold_halves(d);
  __m256 ab =
      _mm256_add_ps(_mm256_permute2f128_ps(a2, b2, 0x20), _mm256_permute2f128_ps(a2, b2, 0x31));
  __m256 cd =
      _mm256_add_ps(_mm256_permute2f128_ps(c2, d2, 0x20), _mm256_permute2f128_ps(c2, d2, 0x31));
  __m256 half = _mm256_add_ps(_mm256_unpacklo_ps(ab, cd), _mm256_unpackhi_ps(ab, cd));
  __m256 sums = _mm256_add_ps(half, _mm256_permute_ps(half, _MM_SHUFFLE(1, 0, 3, 2)));
  _mm_storeu_ps(p, _mm_unpacklo_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
}

/* Makes rows columns. */
inline void turn(Floats (&rows)[kLanes]) {
  __m512 pairs[kLanes];
  for (int64_t i = 0; i < kLanes; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  // Of each four rows, column c of every quarter.
  __m512 fours[kLanes];
  for (int64_t i = 0; i < kLanes; i += 4) {
    for (int64_t c = 0; c < 2; c++) {
      __m512d a = _mm512_castps_pd(pairs[i + c]);
      __m512d b = _mm512_castps_pd(pairs[i + 2 + c]);
      fours[i + 2 * c] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      fours[i + 2 * c + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  }
  for (int64_t c = 0; c < 4; c++) {
    __m512 low01 = _mm512_shuffle_f32x4(fours[c], fours[4 + c], 0x44);
    __m512 high01 = _mm512_shuffle_f32x4(fours[c], fours[4 + c], 0xee);
    __m512 low23 = _mm512_shuffle_f32x4(fours[8 + c], fours[12 + c], 0x44);
    __m512 high23 = _mm512_shuffle_f32x4(fours[8 + c], fours[12 + c], 0xee);
    rows[c] = _mm512_shuffle_f32x4(low01, low23, 0x88);
    rows[4 + c] = _mm512_shuffle_f32x4(low01, low23, 0xdd);
    rows[8 + c] = _mm512_shuffle_f32x4(high01, high23, 0x88);
    rows[12 + c] = _mm512_shuffle_f32x4(high01, high23, 0xdd);
  }
}

inline Floats load_f16(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_f16(uint16_t* p, Floats v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline Floats load_bytes(const int8_t* p) {
  __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}
inline Floats fill_f16(uint16_t value) {
  return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<int16_t>(value)));
}

struct Pair {
  Floats even, odd;
};

inline Pair load_pairs(const float* p) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  __m512 low = load(p);
  __m512 high = load(p + kLanes);
  return {_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high)};
}
inline void store_pairs(float* p, Pair pair) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
  store(p, _mm512_permutex2var_ps(pair.even, low, pair.odd));
  store(p + kLanes, _mm512_permutex2var_ps(pair.even, high, pair.odd));
}

}  // namespace

#endif
