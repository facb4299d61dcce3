/*
 * Q5_0: d (q - 16), q of 5 bits, one F16 d per 32.
 *
 * Stored, 22 bytes: d; 4 bytes, bit j = bit 4 of q[j]; 16 bytes, byte j = the low bits of q[j] and
 * of q[j + 16] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q5_0_H
#define SMALLMIND_MATMUL_FORMATS_Q5_0_H

#include "matmul/planes.h"

namespace {

/* The high bits of a stored block of 5-bit integers, bit j for q[j], as a plane of bits. */
template <class Dwords>
SM_INLINE Dwords plane_of_high_bits(Dwords high) {
  Dwords plane = {};
  for (uint32_t i = 0; i < 8; i++) {
    // Four bits to bit 0 of four bytes each: no two terms of the product share a bit.
    plane |= ((high >> 4 * i & 15) * 0x00204081u & 0x01010101u) << i;
  }
  return plane;
}

struct Q5_0 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 22;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 16;
  static constexpr int kMaxWeight = 31;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint32_t high[kGroupRows];  // bits
    uint16_t d[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    put(plane_of_high_bits(stored.dword(2)), &record.high[row]);
    copy_dwords<4>(stored, 6, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::bit_or(nibbles<S, kIndex>(record.q, lane), bits<S, kIndex, 4>(record.high, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
  }
};

static_assert(sizeof(Q5_0::Record) == Q5_0::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
