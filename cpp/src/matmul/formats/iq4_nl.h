/*
 * IQ4_NL: d level(q), q of 4 bits, 16 unevenly spaced levels, one F16 d per 32.
 *
 * Stored, 18 bytes: d; 16 bytes, byte j = q[j] | q[j + 16] << 4.
 */
#ifndef SMALLMIND_MATMUL_FORMATS_IQ4_NL_H
#define SMALLMIND_MATMUL_FORMATS_IQ4_NL_H

#include "matmul/planes.h"

namespace {

/* The levels of IQ4_NL and IQ4_XS (kvalues_iq4nl of ggml-common.h) plus 128, to be unsigned. */
constexpr uint8_t kIq4Levels[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                    129, 141, 153, 166, 181, 197, 217, 241};

struct IQ4_NL {
  static constexpr int kBlocks = 1;
  static constexpr int kStoredBytes = 18;
  static constexpr int kScales = 1;
  static constexpr bool kMinimums = false;
  static constexpr int kOffset = 128;
  static constexpr int kMaxWeight = 241;
  static constexpr bool kDirectTiles = false;

  struct Record {
    uint32_t q[4][kGroupRows];  // nibbles
    uint16_t d[kGroupRows];
  };

  template <class Dwords>
  static SM_INLINE void pack(const Stored<Dwords>& stored, Record& record, int row) {
    stored.copy(0, &record.d[row]);
    copy_dwords<4>(stored, 2, record.q, row);
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::look_up(kIq4Levels, nibbles<S, kIndex>(record.q, lane));
  }

  template <class S, class Rows>
  static SM_INLINE void scales(const Record& record, int lane, Rows scale, Rows /* minimum */) {
    S::store(&scale[0][lane], S::load_f16(&record.d[lane]));
  }
};

static_assert(sizeof(IQ4_NL::Record) == IQ4_NL::kStoredBytes * kGroupRows, "size of a record");

}  // namespace

#endif
