/*
 * IQ4_XS: d (s - 32) level(q), q of 4 bits, the levels of IQ4_NL, 6-bit s per 32, F16 d per 256.
 *
 * Stored, 136 bytes: d; 2 bytes, bits 2 g and 2 g + 1 = the high 2 bits of s[g]; 4 bytes, nibble g
 * = its low 4 bits; 128 bytes, byte j of the g-th 16 bytes = q[32 g + j] | q[32 g + 16 + j] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_IQ4_XS_H
#define SMALLMIND_MATMUL_FORMATS_IQ4_XS_H

#include "matmul/formats/iq4_nl.h"
#include "matmul/planes.h"

namespace {

struct IQ4_XS {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 136;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 128;
  static constexpr int kMaxWeight = 241;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint16_t d[kGroupRows];
    uint16_t scales_high[kGroupRows];
    uint32_t scales_low[kGroupRows];
    uint32_t q[8][4][kGroupRows];  // nibbles
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    stored.copy(2, &record.scales_high[row]);
    put(stored.dword(4), &record.scales_low[row]);
    for (int block = 0; block < 8; block++) {
      copy_dwords<4>(stored, 8 + 16 * block, record.q[block], row);
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return S::look_up(kIq4Levels, nibbles<S, kIndex>(record.q[block], lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    typename S::F d = S::load_f16(&record.d[lane]);
    typename S::I low = S::load(&record.scales_low[lane]);
    // The high bits moved to where bits 4 and 5 of the scale of group 0 are.
    typename S::I high = S::template shift_left<4>(S::load_u16(&record.scales_high[lane]));
    unroll<8>([&](auto group) SM_LAMBDA {
      constexpr int g = decltype(group)::value;
      typename S::I s = S::bit_or(S::bit_and(S::template shift_right<4 * g>(low), S::splat(0x0f)),
                                  S::bit_and(S::template shift_right<2 * g>(high), S::splat(0x30)));
      S::store(&scale[g][lane], S::mul(d, S::to_float(S::sub(s, S::splat(32)))));
    });
  }
};

static_assert(sizeof(IQ4_XS::Record) == IQ4_XS::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
