/*
 * Q5_K: d s q - m t, q of 5 bits, 6-bit s and t per 32, F16 d and m per 256.
 *
 * Stored, 176 bytes: d; m; 12 bytes of s and t as in Q4_K; 32 bytes, bit g of byte l = bit 4 of
 * q[32 g + l]; 128 bytes of the low bits as in Q4_K.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q5_K_H
#define SMALLMIND_MATMUL_FORMATS_Q5_K_H

#include "matmul/formats/q4_k.h"
#include "matmul/planes.h"

namespace {

struct Q5_K {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 176;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = true;
  static constexpr int kOffset = 0;
  static constexpr int kMaxWeight = 31;
  static constexpr bool kDirectTiles = true;

  // The planes of a block lie together, so that memory is read in order.
  struct Block {
    uint32_t q[4][kGroupRows];  // nibbles
    uint32_t high[kGroupRows];  // bits
  };
  struct Record {
    uint16_t d[kGroupRows];
    uint16_t m[kGroupRows];
    uint32_t scales[3][kGroupRows];
    Block blocks[8];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    pack_six_bit_scales(stored, record, row);
    const EightDwords<Dwords> high(stored, 16);
    for (int half = 0; half < 4; half++) {
      const EightDwords<Dwords> both(stored, 48 + 32 * half);
      for (int i = 0; i < 2; i++) {
        const int block = 2 * half + i;
        put_bits(high.part(block, 0x01010101u), record.blocks[block].high, row);
        put_nibbles(both.part(4 * i, 0x0f0f0f0fu), record.blocks[block].q, row);
      }
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return S::bit_or(nibbles<S, kIndex>(record.blocks[block].q, lane),
                     bits<S, kIndex, 4>(record.blocks[block].high, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows minimum) {
    six_bit_scales<S>(record, lane, scale, minimum);
  }
};

static_assert(sizeof(Q5_K::Record) == Q5_K::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
