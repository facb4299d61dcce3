/*
 * Q6_K: d s (q - 32), q of 6 bits, signed 8-bit s per 16, F16 d per 256.
 *
 * Stored, 210 bytes: 128 bytes of the low 4 bits, byte l of the 64 bytes of half h (l < 32:
 * q[128 h + l] | q[128 h + 64 + l] << 4, and the next 32 bytes: the same from 128 h + 32 on); 64
 * bytes of the high 2 bits, byte l of the h-th 32 bytes holds from its low bits up those of
 * q[128 h + l], q[128 h + 32 + l], q[128 h + 64 + l], q[128 h + 96 + l]; 16 bytes s; d.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q6_K_H
#define SMALLMIND_MATMUL_FORMATS_Q6_K_H

#include "matmul/planes.h"

namespace {

struct Q6_K {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 210;
  static constexpr int kScales = 2;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 32;
  static constexpr int kMaxWeight = 63;
  static constexpr bool kDirectTiles = true;

  // The planes of a block lie together, so that memory is read in order.
  struct Block {
    uint32_t high[2][kGroupRows];  // pairs
    uint32_t q[4][kGroupRows];     // nibbles
  };
  struct Record {
    uint16_t d[kGroupRows];
    int8_t scales[16][kGroupRows];
    Block blocks[8];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(208, &record.d[row]);
    copy_bytes(stored, 192, record.scales, row);
    for (int half = 0; half < 2; half++) {
      const EightDwords<Dwords> high(stored, 128 + 32 * half);
      for (int i = 0; i < 2; i++) {
        const EightDwords<Dwords> low(stored, 64 * half + 32 * i);
        for (int j = 0; j < 2; j++) {
          const int quarter = 2 * j + i;
          Block& block = record.blocks[4 * half + quarter];
          put_nibbles(low.part(4 * j, 0x0f0f0f0fu), block.q, row);
          put_pairs(high.part(2 * quarter, 0x03030303u), block.high, row);
        }
      }
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return S::bit_or(nibbles<S, kIndex>(record.blocks[block].q, lane),
                     pairs<S, kIndex, 4>(record.blocks[block].high, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    typename S::F d = S::load_f16(&record.d[lane]);
    unroll<16>([&](auto group) SM_LAMBDA {
      constexpr int g = decltype(group)::value;
      typename S::I s = S::load_i8(&record.scales[g][lane]);
      S::store(&scale[g][lane], S::mul(d, S::to_float(s)));
    });
  }
};

static_assert(sizeof(Q6_K::Record) == Q6_K::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
