/*
 * Q5_1: d q + m, q of 5 bits, F16 d and m per 32.
 *
 * Stored, 24 bytes: d; m; then as Q5_0.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q5_1_H
#define SMALLMIND_MATMUL_FORMATS_Q5_1_H

#include "matmul/formats/q5_0.h"
#include "matmul/planes.h"

namespace {

struct Q5_1 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 24;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = true;
  static constexpr int kOffset = 0;
  static constexpr int kMaxWeight = 31;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint32_t high[kGroupRows];  // bits
    uint16_t d[kGroupRows];
    uint16_t m[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    stored.copy(2, &record.m[row]);
    put(plane_of_high_bits(stored.dword(4)), &record.high[row]);
    copy_dwords<4>(stored, 8, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::bit_or(nibbles<S, kIndex>(record.q, lane), bits<S, kIndex, 4>(record.high, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows minimum) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
    S::store(&minimum[0][lane], S::load_f16(&record.m[lane]));
  }
};

static_assert(sizeof(Q5_1::Record) == Q5_1::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
