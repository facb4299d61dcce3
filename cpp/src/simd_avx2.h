/*
 * The vector vocabulary of the operations, for AVX2: vectors of 8 floats or 32-bit integers. Every
 * simd_*.h defines the same names, for its own width.
 *
 * All of it is private to the file that includes it: see CMakeLists.txt.
 */
#ifndef SMALLMIND_SIMD_AVX2_H
#define SMALLMIND_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

namespace {

using Floats = __m256;
using Ints = __m256i;
using Mask = __m256;

constexpr int64_t kLanes = 8;
constexpr int kRegisters = 16;

inline Floats load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Floats v) { _mm256_storeu_ps(p, v); }

/* Past the caches: for output that will not be read soon. p is aligned to the vector. Stores of
 * this kind become visible in order only after stream_end. */
inline void stream(float* p, Floats v) { _mm256_stream_ps(p, v); }
inline void stream_end() { _mm_sfence(); }

/* All ones in the first n lanes. */
inline Ints first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The first n lanes, 0 <= n <= kLanes; no other memory is touched, and the other lanes load 0. */
inline Floats load_first(const float* p, int64_t n) {
  return _mm256_maskload_ps(p, first_lanes(n));
}
inline void store_first(float* p, Floats v, int64_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), v);
}

inline Floats fill(float value) { return _mm256_set1_ps(value); }
inline Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
inline Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats div(Floats a, Floats b) { return _mm256_div_ps(a, b); }

/* a * b + c and c - a * b, rounded once. */
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats negate_multiply_add(Floats a, Floats b, Floats c) {
  return _mm256_fnmadd_ps(a, b, c);
}

/* If v is NaN, the result is NaN. */
inline Floats at_least(Floats limit, Floats v) { return _mm256_max_ps(limit, v); }
inline Floats at_most(Floats limit, Floats v) { return _mm256_min_ps(limit, v); }

inline Mask less(Floats a, Floats b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline Floats select(Mask mask, Floats yes, Floats no) { return _mm256_blendv_ps(no, yes, mask); }
inline Floats zero_where(Mask mask, Floats v) { return _mm256_andnot_ps(mask, v); }
inline Floats absolute(Floats v) { return _mm256_andnot_ps(fill(-0.0f), v); }
inline Floats with_sign_of(Floats sign, Floats magnitude) {
  return _mm256_or_ps(_mm256_and_ps(fill(-0.0f), sign), magnitude);
}

/* To the nearest integer, ties to even. */
inline Floats round_even(Floats v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline Ints to_ints_even(Floats v) { return _mm256_cvtps_epi32(v); }

/* v * 2^n for an integer n in [-126, 127]. */
inline Floats multiply_power_of_two(Floats v, Floats n) {
  Ints exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

inline Ints bits(Floats v) { return _mm256_castps_si256(v); }
inline Ints add(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
inline Ints larger(Ints a, Ints b) { return _mm256_max_epi32(a, b); }

inline float reduce_add(Floats v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* No lane is NaN. */
inline float reduce_max(Floats v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

inline int32_t reduce_add(Ints v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1))));
}

inline int32_t reduce_max(Ints v) {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(2, 3, 0, 1))));
}

/* Stores every lane as one byte; all fit. */
inline void store_bytes(int8_t* p, Ints v) {
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}

/* The sums of the lanes of four vectors. */
inline void store_sums(float* p, Floats a, Floats b, Floats c, Floats d) {
  // (a, b) in the halves, then (a, c, a, c | b, d, b, d), each of which is half a sum.
  __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
  __m256 half = _mm256_add_ps(_mm256_unpacklo_ps(ab, cd), _mm256_unpackhi_ps(ab, cd));
  __m256 sums = _mm256_add_ps(half, _mm256_permute_ps(half, _MM_SHUFFLE(1, 0, 3, 2)));
  _mm_storeu_ps(p, _mm_unpacklo_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
}

/* Stored as F16 or as signed bytes. */
inline Floats load_f16(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void store_f16(uint16_t* p, Floats v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline Floats load_bytes(const int8_t* p) {
  __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}
inline Floats fill_f16(uint16_t value) {
  return _mm256_cvtph_ps(_mm_set1_epi16(static_cast<int16_t>(value)));
}

struct Pair {
  Floats even, odd;
};

/* 2 * kLanes floats, the ones at even places apart from those at odd places, and back. */
inline Pair load_pairs(const float* p) {
  __m256 low = _mm256_permute2f128_ps(load(p), load(p + kLanes), 0x20);
  __m256 high = _mm256_permute2f128_ps(load(p), load(p + kLanes), 0x31);
  return {_mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)),
          _mm256_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1))};
}
inline void store_pairs(float* p, Pair pair) {
  __m256 low = _mm256_unpacklo_ps(pair.even, pair.odd);
  __m256 high = _mm256_unpackhi_ps(pair.even, pair.odd);
  store(p, _mm256_permute2f128_ps(low, high, 0x20));
  store(p + kLanes, _mm256_permute2f128_ps(low, high, 0x31));
}

}  // namespace

#endif
