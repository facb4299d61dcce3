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
  static constexpr int kBlockLines = (kBlockBytes + 63) / 64;
  static constexpr bool kFromMemory = true;

  template <class S>
  static constexpr int tile_tokens() {
    return F::kDirectTiles ? S::tile_tokens(F::kScales) : 1;
  }

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

  /* Asks for a block, into L1, and for what is so much further, into L2. */
  static SM_INLINE void prefetch(const uint8_t* from, int64_t /* bytes */, int64_t further) {
    unroll<kBlockLines>([&](auto line) SM_LAMBDA { __builtin_prefetch(from + 64 * line, 0, 3); });
    if (further != 0) {
      unroll<kBlockLines>([&](auto line)
                              SM_LAMBDA { __builtin_prefetch(from + further + 64 * line, 0, 2); });
    }
  }

  /* Asks for the kPart-th of kParts parts of that. */
  template <int kPart, int kParts, class Vector>
  static SM_INLINE void prefetch_behind(Vector& loaded, const uint8_t* from, int64_t further) {
    constexpr int kBegin = kBlockLines * kPart / kParts;
    constexpr int kEnd = kBlockLines * (kPart + 1) / kParts;
    unroll<kEnd, kBegin>([&](auto line) SM_LAMBDA {
      request_behind<1>(loaded, from + 64 * line);
      if (further != 0) {
        request_behind<2>(loaded, from + further + 64 * line);
      }
    });
  }
};

/* All that the micro-kernel knows of decoded weights. Formats that agree in it share its code: the
 * compiler spends most of its time on tiles. */
template <int kScalesOfBlock, bool kWithMinimums, int kLargest, bool kHuge>
struct DecodedFormat {
  static constexpr int kScales = kScalesOfBlock;
  static constexpr bool kMinimums = kWithMinimums;
  static constexpr int kMaxWeight = kLargest;
};

template <int kScalesOfBlock, bool kWithMinimums, int kLargest, bool kHuge>
constexpr bool kHugeScales<DecodedFormat<kScalesOfBlock, kWithMinimums, kLargest, kHuge>> = kHuge;

/* Huge scales only where they matter. */
template <class S, class F>
using DecodedFormatOf = DecodedFormat<F::kScales, F::kMinimums, S::weight_class(F::kMaxWeight),
                                      S::kSumStart != 0 && kHugeScales<F>>;

/* Rows of scales or of minimums of decoded blocks, from their `first` on. */
template <class Block, int kScales>
struct BlockFactors {
  Block* blocks;
  int first;
  SM_INLINE float* operator[](int i) const {
    return blocks[i / kScales].scales[first + i % kScales];
  }
};

template <class Decoded>
struct Panel {
  using Format = Decoded;
  static constexpr int kScales = Decoded::kScales;
  /* A block: bytes, then scales and minimums. */
  struct Record {
    alignas(64) uint32_t q[8][kGroupRows];
    float scales[kScales * (Decoded::kMinimums ? 2 : 1)][kGroupRows];
  };
  using Scales = ScalePointers;
  struct Scratch {};
  static constexpr int kBlocks = 1;
  static constexpr bool kFromMemory = false;

  template <class S>
  static constexpr int tile_tokens() {
    return S::tile_tokens(kScales);
  }

  /* kSigned: weights less their offset. */
  template <class S, class F, bool kSigned = false>
  static void decode(const typename F::Record* packed, int64_t records, Record* panel) {
    using Factors = BlockFactors<Record, kScales>;
    constexpr uint32_t kOffset = kSigned ? F::kOffset : 0;
    static_assert(!F::kMinimums || F::kOffset == 0, "the sums of activations carry one of them");
    static_assert(!kSigned || (F::kOffset <= 128 && F::kMaxWeight - F::kOffset <= 127), "bytes");
    for (int64_t r = 0; r < records; r++, packed++, panel += F::kBlocks) {
      for (int lane = 0; lane < kGroupRows; lane += S::kLanes) {
        F::template scales<S>(*packed, lane, Factors{panel, 0}, Factors{panel, kScales});
      }
      for (int block = 0; block < F::kBlocks; block++) {
        for (int lane = 0; lane < kGroupRows; lane += S::kLanes) {
          // All before the first is stored: then several of them come from one load.
          typename S::I weights[8];
          unroll<8>([&](auto step) SM_LAMBDA {
            constexpr int i = decltype(step)::value;
            weights[i] = F::template weight<S, i>(*packed, block, lane);
            if constexpr (kOffset != 0) {
              weights[i] = S::sub_bytes(weights[i], S::splat(0x01010101u * kOffset));
            }
          });
          for (int i = 0; i < 8; i++) {
            S::store(&panel[block].q[i][lane], weights[i]);
          }
        }
      }
    }
  }

  template <class S, int kVectors>
  static SM_INLINE Scales scales(const Record& record, int /* lane */, Scratch& /* scratch */) {
    return {record.scales, record.scales + (Decoded::kMinimums ? kScales : 0)};
  }

  template <class S, int kIndex>
  static SM_INLINE typename S::I weight(const Record& record, int /* block */, int lane) {
    return S::load(&record.q[kIndex][lane]);
  }

  /* What is asked for ahead is the packed form of the next panel, into L2: L1 is full of this one.
   */
  static SM_INLINE void prefetch(const uint8_t* from, int64_t bytes, int64_t /* further */) {
    for (int64_t line = 0; line < bytes; line += 64) {
      __builtin_prefetch(from + line, 0, 2);
    }
  }
};

}  // namespace

#endif
