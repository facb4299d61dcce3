/*
 * Q4_K: d s q - m t, q of 4 bits, 6-bit s and t per 32, F16 d and m per 256.
 *
 * Stored, 144 bytes: d; m; 12 bytes of s and t; 128 bytes, byte l of the h-th 32 bytes
 * = q[64 h + l] | q[64 h + 32 + l] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_Q4_K_H
#define SMALLMIND_MATMUL_FORMATS_Q4_K_H

#include "matmul/planes.h"

namespace {

/* Eight scales and eight minimums of 6 bits in 12 bytes, as dwords of 4 bytes each; the layout of
 * ggml-common.h: bytes 0 to 3 and 4 to 7 hold scales and minimums 0 to 3 in their low 6 bits; bytes
 * 8 to 11 the low 4 bits of scales (low nibble) and minimums (high nibble) 4 to 7, whose high 2
 * bits are the high bits of bytes 0 to 7. */
template <class S>
struct SixBitPairs {
  typename S::I scale[2];
  typename S::I minimum[2];

  SM_INLINE SixBitPairs(const uint32_t (*dwords)[kGroupRows], int lane) {
    typename S::I a = S::load(&dwords[0][lane]);
    typename S::I b = S::load(&dwords[1][lane]);
    typename S::I c = S::load(&dwords[2][lane]);
    typename S::I low_six = S::splat(0x3f3f3f3fu);
    typename S::I low_four = S::splat(0x0f0f0f0fu);
    typename S::I high_two = S::splat(0x30303030u);
    scale[0] = S::bit_and(a, low_six);
    scale[1] =
        S::bit_or(S::bit_and(c, low_four), S::bit_and(S::template shift_right<2>(a), high_two));
    minimum[0] = S::bit_and(b, low_six);
    minimum[1] = S::bit_or(S::bit_and(S::template shift_right<4>(c), low_four),
                           S::bit_and(S::template shift_right<2>(b), high_two));
  }
};

/* d times the scales and -m times the minimums of a record of Q4_K or Q5_K. */
template <class S, class Record, class Rows>
SM_INLINE void six_bit_scales(const Record& record, int lane, Rows scale, Rows minimum) {
  SixBitPairs<S> six(record.scales, lane);
  typename S::F d = S::load_f16(&record.d[lane]);
  typename S::F m = S::mul(S::load_f16(&record.m[lane]), S::splat_float(-1.0f));
  unroll<8>([&](auto group) SM_LAMBDA {
    constexpr int g = decltype(group)::value;
    S::store(&scale[g][lane], S::mul(d, S::to_float(byte_of<S, g % 4>(six.scale[g / 4]))));
    S::store(&minimum[g][lane], S::mul(m, S::to_float(byte_of<S, g % 4>(six.minimum[g / 4]))));
  });
}

/* The first 16 bytes of a block of Q4_K or Q5_K. */
template <class Dwords, class Record>
SM_INLINE void pack_six_bit_scales(const Stored<Dwords>& stored, Record& record, int row) {
  stored.copy(0, &record.d[row]);
  stored.copy(2, &record.m[row]);
  Dwords first[4];  // d, m, and the scales
  stored.four(0, first);
  for (int i = 0; i < 3; i++) {
    put(first[1 + i], &record.scales[i][row]);
  }
}

struct Q4_K {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = 144;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = true;
  static constexpr int kOffset = 0;
  static constexpr int kMaxWeight = 15;
  static constexpr bool kDirectTiles = true;

  struct Record {
    uint16_t d[kGroupRows];
    uint16_t m[kGroupRows];
    uint32_t scales[3][kGroupRows];
    uint32_t q[8][4][kGroupRows];  // nibbles
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    pack_six_bit_scales(stored, record, row);
    for (int half = 0; half < 4; half++) {
      const EightDwords<Dwords> both(stored, 16 + 32 * half);
      put_nibbles(both.part(0, 0x0f0f0f0fu), record.q[2 * half], row);
      put_nibbles(both.part(4, 0x0f0f0f0fu), record.q[2 * half + 1], row);
    }
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return nibbles<S, kIndex>(record.q[block], lane);
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows minimum) {
    six_bit_scales<S>(record, lane, scale, minimum);
  }
};

static_assert(sizeof(Q4_K::Record) == Q4_K::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
