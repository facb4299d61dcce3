/*
 * Q4_1: d q + m, q of 4 bits, F16 d and m per 32.
 *
 * Stored, 20 bytes: d; m; 16 bytes, byte j = q[j] | q[j + 16] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q4_1_H
#define SMALLMIND_MATMUL_FORMATS_Q4_1_H

#include "matmul/planes.h"

namespace {

struct Q4_1 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 20;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = true;
  static constexpr int kOffset = 0;
  static constexpr int kMaxWeight = 15;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint16_t d[kGroupRows];
    uint16_t m[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    stored.copy(2, &record.m[row]);
    copy_dwords<4>(stored, 4, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return nibbles<S, kIndex>(record.q, lane);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows minimum) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
    S::store(&minimum[0][lane], S::load_f16(&record.m[lane]));
  }
};

static_assert(sizeof(Q4_1::Record) == Q4_1::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
