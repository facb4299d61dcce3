/* The vocabulary of the matmul templates in Advanced SIMD, plain and with the dot product of
 * Armv8.2: 4 lanes of 32 bits. */
#ifndef SMALLMIND_MATMUL_SIMD_NEON_H
#define SMALLMIND_MATMUL_SIMD_NEON_H

#include <arm_neon.h>

#include "matmul/common.h"

namespace {

/* What both have in common. */
struct NeonBase {
  using F = float32x4_t;
  using I = uint32x4_t;

  static constexpr int kLanes = 4;

  // A tile of packed float weights: tokens by vectors of rows.
  static constexpr int kFloatPanelTokens = 6;
  static constexpr int kFloatPanelVectors = 4;

  // A tile of float weights as they are stored: rows by tokens.
  static constexpr int kFloatRows = 4;
  static constexpr int kFloatTokens = 4;

  static SM_INLINE I load(const uint32_t* p) { return vld1q_u32(p); }
  static SM_INLINE void store(uint32_t* p, I v) { vst1q_u32(p, v); }
  static SM_INLINE I load_u16(const uint16_t* p) { return vmovl_u16(vld1_u16(p)); }
  static SM_INLINE I load_u8(const uint8_t* p) {
    uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(load_u32(p)));
    return vmovl_u16(vget_low_u16(vmovl_u8(bytes)));
  }
  static SM_INLINE I load_i8(const int8_t* p) {
    uint32_t four;
    memcpy(&four, p, sizeof(four));
    int8x8_t bytes = vreinterpret_s8_u32(vdup_n_u32(four));
    return vreinterpretq_u32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
  }
  static SM_INLINE I splat(uint32_t v) { return vdupq_n_u32(v); }
  static SM_INLINE I zero() { return vdupq_n_u32(0); }
  static SM_INLINE I bit_and(I a, I b) { return vandq_u32(a, b); }
  static SM_INLINE I bit_or(I a, I b) { return vorrq_u32(a, b); }
  static SM_INLINE I add(I a, I b) { return vaddq_u32(a, b); }
  static SM_INLINE I sub(I a, I b) { return vsubq_u32(a, b); }
  template <int kBits>
  static SM_INLINE I shift_right(I v) {
    return vshrq_n_u32(v, kBits);
  }
  /* Each byte by itself. */
  template <int kBits>
  static SM_INLINE I shift_bytes_right(I v) {
    return vreinterpretq_u32_u8(vshrq_n_u8(vreinterpretq_u8_u32(v), kBits));
  }
  template <int kBits>
  static SM_INLINE I shift_left(I v) {
    return vshlq_n_u32(v, kBits);
  }
  /* Looks each byte, 0 to 15, up in a table of 16 bytes. */
  static SM_INLINE I look_up(const uint8_t* table, I bytes) {
    return vreinterpretq_u32_u8(vqtbl1q_u8(vld1q_u8(table), vreinterpretq_u8_u32(bytes)));
  }

  static SM_INLINE F load(const float* p) { return vld1q_f32(p); }
  static SM_INLINE F load(const float* p, int count) {
    float lanes[kLanes] = {};
    for (int i = 0; i < count; i++) {
      lanes[i] = p[i];
    }
    return load(lanes);
  }
  static SM_INLINE void store(float* p, F v) { vst1q_f32(p, v); }
  static SM_INLINE void store(float* p, F v, int count) {
    float lanes[kLanes];
    store(lanes, v);
    for (int i = 0; i < count; i++) {
      p[i] = lanes[i];
    }
  }
  static SM_INLINE F load_f16(const uint16_t* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
  }
  static SM_INLINE F splat_float(float v) { return vdupq_n_f32(v); }
  static SM_INLINE F zero_float() { return vdupq_n_f32(0); }
  static SM_INLINE F to_float(I v) { return vcvtq_f32_s32(vreinterpretq_s32_u32(v)); }
  static SM_INLINE F as_float(I v) { return vreinterpretq_f32_u32(v); }
  /* Rounds to the nearest BF16, ties to even; NaN stays. */
  static SM_INLINE F round_bf16(F v) {
    I bits = vreinterpretq_u32_f32(v);
    I up = add(splat(0x7fff), bit_and(shift_right<16>(bits), splat(1)));
    bits = vbslq_u32(vceqq_f32(v, v), add(bits, up), bit_or(bits, splat(0x400000)));
    return as_float(bit_and(bits, splat(0xffff0000)));
  }
  static SM_INLINE F mul(F a, F b) { return vmulq_f32(a, b); }
  static SM_INLINE F add(F a, F b) { return vaddq_f32(a, b); }
  static SM_INLINE F mul_add(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static SM_INLINE float sum(F v) { return vaddvq_f32(v); }

  /* Integer sums start from here. */
  static constexpr int32_t kSumStart = 0;
  using Factor = F;
  static SM_INLINE Factor factor(F scale) { return scale; }
  static SM_INLINE F scaled(I sum, const Factor& factor) { return mul(to_float(sum), factor); }

  /* Products are of signed bytes, so weights of more than 7 bits lose 128 first. */
  static constexpr int carried_offset(int offset, int max_weight) {
    return max_weight > 127 ? offset - 128 : offset;
  }

  template <int kMaxWeight>
  static SM_INLINE int8x16_t signed_weights(I w) {
    return vreinterpretq_s8_u32(kMaxWeight > 127 ? veorq_u32(w, splat(0x80808080u)) : w);
  }
};

struct Neon : NeonBase {
  // 32 registers: a dot takes two of 16-bit sums and one of 32-bit ones.
  static constexpr int tile_tokens(int /* scales */) { return 4; }
  static constexpr int vectors(int tokens) { return tokens == 1 ? 4 : tokens == 2 ? 2 : 1; }

  /* A largest weight whose products are summed in the same way as those of this one. */
  static constexpr int weight_class(int max_weight) { return largest_of_bits(max_weight); }

  /* bias + sums of products of weights, up to kMaxWeight, and activations: four to a lane at each
   * of kSteps steps. bias: one for all lanes, or null for none. */
  template <int kMaxWeight, int kSteps>
  struct Dot {
    static constexpr int kLargest = kMaxWeight > 127 ? 128 : kMaxWeight;
    // So many steps fit into 16 bits once the neighbours of a pair are added to each other.
    static constexpr int kRun = 32767 / (2 * 127 * kLargest);
    static_assert(kRun >= 1, "a pair of products would overflow");

    int16x8_t low;
    int16x8_t high;
    int32x4_t sum;

    SM_INLINE void start(const uint32_t* bias, int32_t /* otherwise: 0 */) {
      sum = vreinterpretq_s32_u32(splat(bias ? *bias : 0));
    }

    template <int kStep>
    SM_INLINE void step(I w, I x) {
      int8x16_t a = signed_weights<kMaxWeight>(w);
      int8x16_t b = vreinterpretq_s8_u32(x);
      if constexpr (kStep % kRun == 0) {
        low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
        high = vmull_high_s8(a, b);
      } else {
        low = vmlal_s8(low, vget_low_s8(a), vget_low_s8(b));
        high = vmlal_high_s8(high, a, b);
      }
      if constexpr (kStep % kRun == kRun - 1 || kStep == kSteps - 1) {
        sum = vpadalq_s16(sum, vpaddq_s16(low, high));
      }
    }

    SM_INLINE I result() const { return vreinterpretq_u32_s32(sum); }
  };
};

#if defined(__ARM_FEATURE_DOTPROD)

struct NeonDotprod : NeonBase {
  // 32 registers: up to 8 results, each with a float sum and one or two integer ones; a single
  // token takes all rows of a group at once, so that it reads memory in order.
  static constexpr int tile_tokens(int /* scales */) { return 4; }
  static constexpr int vectors(int tokens) { return tokens == 1 ? 8 : tokens == 2 ? 4 : 2; }

  /* A largest weight whose products are summed in the same way as those of this one. */
  static constexpr int weight_class(int max_weight) { return max_weight > 127 ? 255 : 127; }

  template <int kMaxWeight, int kSteps>
  struct Dot {
    int32x4_t sum;

    SM_INLINE void start(const uint32_t* bias, int32_t /* otherwise: 0 */) {
      sum = vreinterpretq_s32_u32(splat(bias ? *bias : 0));
    }

    template <int kStep>
    SM_INLINE void step(I w, I x) {
      sum = vdotq_s32(sum, signed_weights<kMaxWeight>(w), vreinterpretq_s8_u32(x));
    }

    SM_INLINE I result() const { return vreinterpretq_u32_s32(sum); }
  };
};

#endif

}  // namespace

#endif
