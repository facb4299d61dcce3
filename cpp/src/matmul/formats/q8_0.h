/*
 * Q8_0: d q, q a signed byte, one F16 d per 32.
 *
 * Stored, 34 bytes: d; 32 bytes q. Packed as q + 128, since the products want unsigned weights.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q8_0_H
#define SMALLMIND_MATMUL_FORMATS_Q8_0_H

#include "matmul/planes.h"

namespace {

struct Q8_0 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 34;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 128;
  static constexpr int kMaxWeight = 255;
  static constexpr bool kDirectTiles = true;

  struct Record {
    uint32_t q[8][kGroupRows];  // bytes
    uint16_t d[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    const EightDwords<Dwords> all(stored, 2);
    for (int i = 0; i < 8; i++) {
      put(all.of[i] ^ 0x80808080u, &record.q[i][row]);
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::load(&record.q[kIndex][lane]);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
  }
};

static_assert(sizeof(Q8_0::Record) == Q8_0::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
