/*
 * MXFP4: E2M1 floats of 4 bits with one power of two per 32: 2^(e - 128) twice(q), where twice(q)
 * is the float doubled, an integer.
 *
 * Stored, 17 bytes: e; 16 bytes, byte j = q[j] | q[j + 16] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_MXFP4_H
#define SMALLMIND_MATMUL_FORMATS_MXFP4_H

#include "matmul/planes.h"

namespace {

/* The floats doubled (OCP Microscaling Formats 1.0, section 5.3.3) plus 12, to be unsigned. */
constexpr uint8_t kMxfp4Levels[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

struct MXFP4 {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 17;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 12;
  static constexpr int kMaxWeight = 24;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint8_t e[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.e[row]);
    copy_dwords<4>(stored, 1, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::look_up(kMxfp4Levels, nibbles<S, kIndex>(record.q, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    // 2^(e - 128) is subnormal for small e: the product of two normal powers is exact.
    typename S::I e = S::load_u8(&record.e[lane]);
    typename S::I half = S::template shift_right<1>(e);
    typename S::I rest = S::sub(e, half);
    typename S::I bias = S::splat(127 - 64);
    S::store(&scale[0][lane], S::mul(S::as_float(S::template shift_left<23>(S::add(half, bias))),
                                     S::as_float(S::template shift_left<23>(S::add(rest, bias)))));
  }
};

/* Up to 2^127. */
template <>
constexpr bool kHugeScales<MXFP4> = true;

static_assert(sizeof(MXFP4::Record) == MXFP4::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
