/*
 * Q2_K: d s q - m t, q of 2 bits, 4-bit s and t per 16, F16 d and m per 256.
 *
 * Stored, 84 bytes: 16 bytes s | t << 4; 64 bytes, byte l of the h-th 32 bytes holds from its low
 * bits up q[128 h + l], q[128 h + 32 + l], q[128 h + 64 + l], q[128 h + 96 + l]; d; m.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q2_K_H
#define SMALLMIND_MATMUL_FORMATS_Q2_K_H

#include "matmul/planes.h"

namespace {

struct Q2_K {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 84;
  static constexpr int kScales = 2;
  static constexpr bool kMinimums = true;
  static constexpr int kOffset = 0;
  static constexpr int kMaxWeight = 3;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint16_t d[kGroupRows];
    uint16_t m[kGroupRows];
    uint32_t scales[4][kGroupRows];  // 16 bytes of each row
    uint32_t q[8][2][kGroupRows];    // pairs
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(80, &record.d[row]);
    stored.copy(82, &record.m[row]);
    copy_dwords<4>(stored, 0, record.scales, row);
    for (int half = 0; half < 2; half++) {
      const EightDwords<Dwords> all(stored, 16 + 32 * half);
      for (int quarter = 0; quarter < 4; quarter++) {
        put_pairs(all.part(2 * quarter, 0x03030303u), record.q[4 * half + quarter], row);
      }
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return pairs<S, kIndex, 0>(record.q[block], lane);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows minimum) {
    typename S::F d = S::load_f16(&record.d[lane]);
    typename S::F m = S::mul(S::load_f16(&record.m[lane]), S::splat_float(-1.0f));
    unroll<16>([&](auto group) SM_LAMBDA {
      constexpr int g = decltype(group)::value;
      typename S::I both = byte_of<S, g % 4>(S::load(&record.scales[g / 4][lane]));
      S::store(&scale[g][lane], S::mul(d, S::to_float(S::bit_and(both, S::splat(15)))));
      S::store(&minimum[g][lane], S::mul(m, S::to_float(S::template shift_right<4>(both))));
    });
  }
};

static_assert(sizeof(Q2_K::Record) == Q2_K::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
