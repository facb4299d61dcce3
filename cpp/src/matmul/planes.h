/*
 * Bit planes: how the integers of a block of 32 weights, for a group of 32 rows, lie in a packed
 * record. A dword belongs to one row and holds 4 bytes, which are 4 consecutive columns; dword i
 * (0 to 7) of a block covers its columns 4 i to 4 i + 3. Planes of fewer bits fold several of these
 * dwords into one:
 *
 *   bytes    dword i as it is                                            q[8][32 rows]
 *   nibbles  dword i in the low, dword i + 4 in the high nibbles         q[4][32 rows]
 *   pairs    dword 4 j + s in bits 2 s and 2 s + 1 of each byte          q[2][32 rows]
 *   bits     dword i in bit i of each byte                               q[1][32 rows]
 */
#ifndef SMALLMIND_MATMUL_PLANES_H
#define SMALLMIND_MATMUL_PLANES_H

#include "matmul/stored.h"

namespace {

template <class S, int kIndex>
SM_INLINE typename S::I nibbles(const uint32_t (*q)[kGroupRows], int lane) {
  typename S::I v = S::load(&q[kIndex % 4][lane]);
  if constexpr (kIndex >= 4) {
    return S::template shift_bytes_right<4>(v);
  }
  return S::bit_and(v, S::splat(0x0f0f0f0fu));
}

/* Dword kIndex of a plane of pairs, moved up to bit kTo of each byte. */
template <class S, int kIndex, int kTo>
SM_INLINE typename S::I pairs(const uint32_t (*q)[kGroupRows], int lane) {
  constexpr int kFrom = kIndex % 4 * 2;
  typename S::I v = S::load(&q[kIndex / 4][lane]);
  if constexpr (kFrom - kTo == 6) {
    return S::template shift_bytes_right<6>(v);
  } else if constexpr (kFrom > kTo) {
    v = S::template shift_right<kFrom - kTo>(v);
  } else if constexpr (kFrom < kTo) {
    v = S::template shift_left<kTo - kFrom>(v);
  }
  return S::bit_and(v, S::splat(0x03030303u << kTo));
}

/* Dword kIndex of a plane of bits, moved to bit kTo of each byte. */
template <class S, int kIndex, int kTo>
SM_INLINE typename S::I bits(const uint32_t* q, int lane) {
  typename S::I v = S::load(&q[lane]);
  if constexpr (kIndex > kTo) {
    v = S::template shift_right<kIndex - kTo>(v);
  } else if constexpr (kIndex < kTo) {
    v = S::template shift_left<kTo - kIndex>(v);
  }
  return S::bit_and(v, S::splat(0x01010101u << kTo));
}

/* Byte kIndex of each row's array of bytes, zero-extended. */
template <class S, int kIndex>
SM_INLINE typename S::I byte_of(typename S::I dwords) {
  if constexpr (kIndex == 3) {
    return S::template shift_right<24>(dwords);
  } else {
    return S::bit_and(S::template shift_right<8 * kIndex>(dwords), S::splat(0xffu));
  }
}

}  // namespace

#endif
