/*
 * Q3_K: d (s - 32) (q - 4), q of 3 bits, 6-bit s per 16, F16 d per 256.
 *
 * Stored, 110 bytes: 32 bytes, bit g of byte l = bit 2 of q[32 g + l]; 64 bytes of the low 2 bits
 * as in Q2_K; 12 bytes: the low 4 bits of s[g] in byte g (low nibble, g < 8) or g - 8 (high
 * nibble), its high 2 bits in bits 2 (g / 4) of byte 8 + g % 4; d.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q3_K_H
#define SMALLMIND_MATMUL_FORMATS_Q3_K_H

#include "matmul/planes.h"

namespace {

struct Q3_K {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 110;
  static constexpr int kScales = 2;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 4;
  static constexpr int kMaxWeight = 7;
  static constexpr bool kDirectTiles = false;

  // The planes of a block lie together, so that memory is read in order.
  struct Block {
    uint32_t q[2][kGroupRows];  // pairs
    uint32_t high[kGroupRows];  // bits
  };
  struct Record {
    uint16_t d[kGroupRows];
    uint32_t scales[3][kGroupRows];
    Block blocks[8];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(108, &record.d[row]);
    for (int i = 0; i < 3; i++) {
      put(stored.dword(96 + 4 * i), &record.scales[i][row]);
    }
    const EightDwords<Dwords> high(stored, 0);
    for (int half = 0; half < 2; half++) {
      const EightDwords<Dwords> low(stored, 32 + 32 * half);
      for (int quarter = 0; quarter < 4; quarter++) {
        Block& block = record.blocks[4 * half + quarter];
        put_bits(high.part(4 * half + quarter, 0x01010101u), block.high, row);
        put_pairs(low.part(2 * quarter, 0x03030303u), block.q, row);
      }
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return S::bit_or(pairs<S, kIndex, 0>(record.blocks[block].q, lane),
                     bits<S, kIndex, 2>(record.blocks[block].high, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    typename S::F d = S::load_f16(&record.d[lane]);
    typename S::I low_four = S::splat(0x0f0f0f0fu);
    typename S::I high_two = S::splat(0x30303030u);
    typename S::I low[2] = {S::load(&record.scales[0][lane]), S::load(&record.scales[1][lane])};
    typename S::I high = S::load(&record.scales[2][lane]);
    typename S::I six[4] = {
        S::bit_or(S::bit_and(low[0], low_four),
                  S::bit_and(S::template shift_left<4>(high), high_two)),
        S::bit_or(S::bit_and(low[1], low_four),
                  S::bit_and(S::template shift_left<2>(high), high_two)),
        S::bit_or(S::bit_and(S::template shift_right<4>(low[0]), low_four),
                  S::bit_and(high, high_two)),
        S::bit_or(S::bit_and(S::template shift_right<4>(low[1]), low_four),
                  S::bit_and(S::template shift_right<2>(high), high_two)),
    };
    unroll<16>([&](auto group) SM_LAMBDA {
      constexpr int g = decltype(group)::value;
      typename S::I s = S::sub(byte_of<S, g % 4>(six[g / 4]), S::splat(32));
      S::store(&scale[g][lane], S::mul(d, S::to_float(s)));
    });
  }
};

static_assert(sizeof(Q3_K::Record) == Q3_K::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
