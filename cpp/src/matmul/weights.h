/* The two forms of weights that the micro-kernel reads: packed records, decoded in registers as
 * they stream by, and panels, decoded beforehand because many tokens will read them. */
#ifndef SMALLMIND_MATMUL_WEIGHTS_H
#define SMALLMIND_MATMUL_WEIGHTS_H

#include "matmul/common.h"

namespace {

struct ScalePointers {
  const float (*scale)[kGroupRows];
  const float (*minimum)[kGroupRows];
};

/* Scales and minimums of a record as F32: (blocks, scales of a block, rows). */
template <class Format>
struct DecodedScales {
  static constexpr int kCount = Format::kBlocks * Format::kScales;
  alignas(64) float scale[kCount][kGroupRows];
  alignas(64) float minimum[Format::kMinimums ? kCount : 1][kGroupRows];
};

template <class F>
struct Direct {
  using Format = F;
  using Record = typename F::Record;
  using Scales = ScalePointers;
  using Scratch = DecodedScales<F>;
  static constexpr int kBlocks = F::kBlocks;
  static constexpr int kBlockBytes = static_cast<int>(sizeof(Record)) / kBlocks;
  static constexpr int kPrefetchLocality = 3;
  // Blocks this large keep more lines on their way than L1 can wait for: L2 asks for them before.
  static constexpr int kPrefetchFurther = kBlockBytes > 768 ? 8192 : 0;

  template <class S, int kVectors>
  static SM_INLINE Scales scales(const Record& record, int lane, Scratch& scratch) {
    for (int v = 0; v < kVectors; v++) {
      F::template scales<S>(record, lane + v * S::kLanes, scratch.scale, scratch.minimum);
    }
    return {scratch.scale, scratch.minimum};
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return F::template weight<S, kIndex>(record, block, lane);
  }
};

template <class F>
struct Panel {
  using Format = F;
  struct Record {
    alignas(64) uint32_t q[F::kBlocks][8][kGroupRows];  // bytes
    DecodedScales<F> scales;
  };
  using Scales = ScalePointers;
  struct Scratch {};
  static constexpr int kBlocks = F::kBlocks;
  // What is asked for ahead is the packed form of the next panel, into L2: L1 is full of this one.
  static constexpr int kBlockBytes = Direct<F>::kBlockBytes;
  static constexpr int kPrefetchLocality = 2;
  static constexpr int kPrefetchFurther = 0;

  template <class S>
  static void decode(const typename F::Record* packed, int64_t records, Record* panel) {
    for (int64_t r = 0; r < records; r++, packed++, panel++) {
      for (int lane = 0; lane < kGroupRows; lane += S::kLanes) {
        F::template scales<S>(*packed, lane, panel->scales.scale, panel->scales.minimum);
        for (int block = 0; block < kBlocks; block++) {
          unroll<8>([&](auto step) SM_LAMBDA {
            constexpr int i = decltype(step)::value;
            S::store(&panel->q[block][i][lane], F::template weight<S, i>(*packed, block, lane));
          });
        }
      }
    }
  }

  template <class S, int kVectors>
  static SM_INLINE Scales scales(const Record& record, int /* lane */, Scratch& /* scratch */) {
    return {record.scales.scale, record.scales.minimum};
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int block, int lane) {
    return S::load(&record.q[block][kIndex][lane]);
  }
};

}  // namespace

#endif
