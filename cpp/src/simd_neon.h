/* The vector vocabulary of simd_avx2.h for Advanced SIMD: vectors of 4 floats or 32-bit integers.
 */
#ifndef SMALLMIND_SIMD_NEON_H
#define SMALLMIND_SIMD_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

namespace {

using Floats = float32x4_t;
using Ints = int32x4_t;
using Mask = uint32x4_t;

constexpr int64_t kLanes = 4;
constexpr int kRegisters = 32;

inline Floats load(const float* p) { return vld1q_f32(p); }
inline void store(float* p, Floats v) { vst1q_f32(p, v); }

/* There are no single-register stores past the caches here. */
inline void stream(float* p, Floats v) { vst1q_f32(p, v); }
inline void stream_end() {}

inline Floats load_first(const float* p, int64_t n) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; i++) {
    lanes[i] = p[i];
  }
  return load(lanes);
}
inline void store_first(float* p, Floats v, int64_t n) {
  float lanes[kLanes];
  store(lanes, v);
  for (int64_t i = 0; i < n; i++) {
    p[i] = lanes[i];
  }
}

inline Floats fill(float value) { return vdupq_n_f32(value); }
inline Floats add(Floats a, Floats b) { return vaddq_f32(a, b); }
inline Floats sub(Floats a, Floats b) { return vsubq_f32(a, b); }
inline Floats mul(Floats a, Floats b) { return vmulq_f32(a, b); }
inline Floats div(Floats a, Floats b) { return vdivq_f32(a, b); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
inline Floats negate_multiply_add(Floats a, Floats b, Floats c) { return vfmsq_f32(c, a, b); }

inline Floats at_least(Floats limit, Floats v) { return vmaxq_f32(limit, v); }
inline Floats at_most(Floats limit, Floats v) { return vminq_f32(limit, v); }

inline Mask less(Floats a, Floats b) { return vcltq_f32(a, b); }
inline Floats select(Mask mask, Floats yes, Floats no) { return vbslq_f32(mask, yes, no); }
inline Floats zero_where(Mask mask, Floats v) {
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v), mask));
}
inline Floats absolute(Floats v) { return vabsq_f32(v); }
inline Floats with_sign_of(Floats sign, Floats magnitude) {
  return vbslq_f32(vdupq_n_u32(0x80000000u), sign, magnitude);
}

inline Floats round_even(Floats v) { return vrndnq_f32(v); }
inline Ints to_ints_even(Floats v) { return vcvtnq_s32_f32(v); }
inline Floats multiply_power_of_two(Floats v, Floats n) {
  Ints exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
  return vmulq_f32(v, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
}

inline Ints bits(Floats v) { return vreinterpretq_s32_f32(v); }
inline Ints add(Ints a, Ints b) { return vaddq_s32(a, b); }
inline Ints larger(Ints a, Ints b) { return vmaxq_s32(a, b); }

inline float reduce_add(Floats v) { return vaddvq_f32(v); }
inline float reduce_max(Floats v) { return vmaxvq_f32(v); }
inline int32_t reduce_add(Ints v) { return vaddvq_s32(v); }
inline int32_t reduce_max(Ints v) { return vmaxvq_s32(v); }

inline void store_bytes(int8_t* p, Ints v) {
  int16x4_t words = vmovn_s32(v);
  int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
  memcpy(p, &bytes, kLanes);
}

inline void store_sums(float* p, Floats a, Floats b, Floats c, Floats d) {
  store(p, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

inline Floats load_f16(const uint16_t* p) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
inline void store_f16(uint16_t* p, Floats v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
inline Floats load_bytes(const int8_t* p) {
  uint32_t bytes;
  memcpy(&bytes, p, kLanes);
  int16x8_t words = vmovl_s8(vcreate_s8(bytes));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(words)));
}
inline Floats fill_f16(uint16_t value) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(value)));
}

struct Pair {
  Floats even, odd;
};

inline Pair load_pairs(const float* p) {
  float32x4x2_t pairs = vld2q_f32(p);
  return {pairs.val[0], pairs.val[1]};
}
inline void store_pairs(float* p, Pair pair) {
  float32x4x2_t pairs = {{pair.even, pair.odd}};
  vst2q_f32(p, pairs);
}

}  // namespace

#endif
