/*
 * Q4_0: d (q - 8), q of 4 bits, one F16 d per 32.
 *
 * Stored, 18 bytes: d; 16 bytes, byte j = q[j] | q[j + 16] << 4. The bytes are a plane of nibbles
 * already.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q4_0_H
#define SMALLMIND_MATMUL_FORMATS_Q4_0_H

#include "matmul/planes.h"

namespace {

struct Q4_0 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 18;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 8;
  static constexpr int kMaxWeight = 15;
  static constexpr bool kDirectTiles = true;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint16_t d[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    copy_dwords<4>(stored, 2, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return nibbles<S, kIndex>(record.q, lane);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
  }
};

static_assert(sizeof(Q4_0::Record) == Q4_0::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
