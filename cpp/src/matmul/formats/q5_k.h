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

  static inline void pack(const uint8_t* stored, Record& record, int row) {
    memcpy(&record.d[row], stored, 2);
    memcpy(&record.m[row], stored + 2, 2);
    for (int i = 0; i < 3; i++) {
      record.scales[i][row] = load_u32(stored + 4 + 4 * i);
    }
    for (int block = 0; block < 8; block++) {
      uint32_t dwords[8];
      take(stored + 16, block, 0x01010101u, dwords);
      put_bits(dwords, record.blocks[block].high, row);
      take(stored + 48 + block / 2 * 32, block % 2 * 4, 0x0f0f0f0fu, dwords);
      put_nibbles(dwords, record.blocks[block].q, row);
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
