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

/* kCount blocks in a record, whose scales come first. */
template <int kCount>
struct Q4_0Records {
  static constexpr int kBlocks = kCount;
  static constexpr int kStoredBytes = 18 * kCount;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 8;
  static constexpr int kMaxWeight = 15;
  static constexpr bool kDirectTiles = true;

  struct Record {
    uint16_t d[kCount][kGroupRows];
    uint32_t q[kCount][4][kGroupRows];  // nibbles
  };
  static_assert(sizeof(Record) == kStoredBytes * kGroupRows, "size of a record");

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    for (int block = 0; block < kCount; block++) {
      stored.copy(18 * block, &record.d[block][row]);
      copy_dwords<4>(stored, 18 * block + 2, record.q[block], row);
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return nibbles<S, kIndex>(record.q[block], lane);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    unroll<kCount>([&](auto block) SM_LAMBDA {
      constexpr int b = decltype(block)::value;
      S::store(&scale[b][lane], S::load_f16(&record.d[b][lane]));
    });
  }
};

using Q4_0 = Q4_0Records<1>;

/* Where rows have whole records of eight blocks, which is what models mostly have: behind the
 * scales a long stretch of quants, which some processors fetch ahead by themselves, and better than
 * when they are asked block by block. */
constexpr int kWideQ4_0Blocks = 8;
using WideQ4_0 = Q4_0Records<kWideQ4_0Blocks>;

}  // namespace

#endif
