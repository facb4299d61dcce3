/*
 * The micro-kernel: tokens by rows, sums in registers, one pass over the blocks of a range of
 * columns.
 *
 * A result is one chain over the blocks in the order of their columns,
 *
 *   y = mul_add(scale * float(sum of w q), d, y)           and, with minimums,
 *   y = mul_add(minimum, d * sum of q, y)
 *
 * whatever the number of tokens, the split of rows, and the range of columns a call takes at once
 * (in between, y lies in memory): so every path gives the same bits. A weight counts as w - offset;
 * the offset is taken off by starting the integer sum at -offset * sum of q. (With scales that are
 * not finite, results are not finite either, but not the same on all paths.)
 */
#ifndef SMALLMIND_MATMUL_TILE_H
#define SMALLMIND_MATMUL_TILE_H

#include "activations.h"
#include "matmul/common.h"
#include "processor.h"

namespace {

/* What the weights of a format need of an activation block besides its integers: the scale d, and
 * for each scale of the weights -offset * sum (int32), the first from kSumStart on, or d * sum
 * (F32). Dwords of (tiles, blocks, tokens of a tile, kSide). */
template <class Format>
constexpr int kSide = 1 + Format::kScales;

/* What the first integer sums of a block start from. */
template <class S, class Format>
constexpr int32_t kSumStart = kHugeScales<Format> ? 0 : S::kSumStart;

/* The quantized activations of a tile, from some column on. */
struct TileActivations {
  const uint8_t* q;      // of the first token
  int64_t row_bytes;     // from token to token
  const uint32_t* side;  // (blocks, tokens, kSide)
};

/* Records of weights for a tile, and what to ask memory for on the way: at every prefetch_every-th
 * block the packed bytes of one, from `prefetch` on, and, if that is not 0, what lies
 * prefetch_further behind them; with prefetch_every = 0 nothing. */
template <class Weights>
struct TileWeights {
  const typename Weights::Record* record;
  int64_t records;
  const uint8_t* prefetch;
  int64_t prefetch_bytes;
  int64_t prefetch_every;
  int64_t prefetch_further;
};

/* Where the results of a tile go. */
struct TileResults {
  float* y;        // of the first token and row
  int64_t stride;  // from token to token, in elements
  int64_t rows;    // how many rows there are from the first on
  bool add;        // whether y holds the sums of columns before
};

template <class S>
SM_INLINE typename S::F splat_at(const uint32_t* p) {
  float f;
  memcpy(&f, p, sizeof(f));
  return S::splat_float(f);
}

/*
 * Weights is Direct<Format> or Panel<Format>: kBlocks blocks to a record, and
 *   scales(record, lane, scratch) -> where the scales and minimums of this record lie,
 *   weight<S, i>(record, block, lane),
 *   prefetch(from, bytes, further), which asks memory for the packed bytes of a block, and
 *   kFromMemory, whether those are what tiles read; if so,
 *   prefetch_behind<part, parts>(loaded, from, further), which asks for a part of them where
 * `loaded` has just been loaded.
 *
 * Arguments by reference: a copy on the stack, made right after they were written piece by piece,
 * would wait for those writes.
 */
template <class S, class Weights, int kTokens, int kVectors>
__attribute__((noinline)) void tile(const TileWeights<Weights>& w, int lane,
                                    const TileActivations& x, const TileResults& out) {
  using Format = typename Weights::Format;
  using F = typename S::F;
  using I = typename S::I;
  constexpr int kScales = Format::kScales;
  constexpr int kStepsPerScale = 8 / kScales;
  // Many requests at once hold up the loads behind them; but on AMD's processors one token, which
  // waits for memory anyway, is faster with all requests of a block at once.
  const bool spread = Weights::kFromMemory && (kTokens > 1 || kIntelProcessor);

  F sums[kTokens][kVectors];
  for (int t = 0; t < kTokens; t++) {
    for (int v = 0; v < kVectors; v++) {
      int64_t count = out.rows - v * S::kLanes;
      const float* y = out.y + t * out.stride + v * S::kLanes;
      sums[t][v] = !out.add || count <= 0 ? S::zero_float()
                   : count >= S::kLanes   ? S::load(y)
                                          : S::load(y, static_cast<int>(count));
    }
  }

  const uint8_t* q = x.q;
  const uint32_t* side = x.side;
  typename Weights::Scratch scratch;
  const uint8_t* prefetch = w.prefetch;
  int64_t until_prefetch = w.prefetch_every == 0 ? -1 : 0;
  const typename Weights::Record* record = w.record;
  for (int64_t r = 0; r < w.records; r++, record++) {
    typename Weights::Scales scales = Weights::template scales<S, kVectors>(*record, lane, scratch);
    for (int block = 0; block < Weights::kBlocks; block++) {
      const uint8_t* ahead = nullptr;
      if (until_prefetch-- == 0) {
        if (spread) {
          ahead = prefetch;
        } else {
          Weights::prefetch(prefetch, w.prefetch_bytes, w.prefetch_further);
        }
        prefetch += w.prefetch_bytes;
        until_prefetch = w.prefetch_every - 1;
      }
      typename S::template Dot<Format::kMaxWeight, kStepsPerScale> dots[kScales][kTokens][kVectors];
      unroll<kTokens>([&](auto token) SM_LAMBDA {
        constexpr int t = decltype(token)::value;
        unroll<kScales>([&](auto scale) SM_LAMBDA {
          constexpr int p = decltype(scale)::value;
          const uint32_t* bias = Format::kMinimums ? nullptr : side + t * kSide<Format> + 1 + p;
          constexpr int32_t kStart = p == 0 ? kSumStart<S, Format> : 0;
          unroll<kVectors>([&](auto v) SM_LAMBDA { dots[p][t][v].start(bias, kStart); });
        });
      });
      const auto multiply = [&](const uint8_t* from) SM_LAMBDA {
        unroll<8>([&](auto step) SM_LAMBDA {
          // Nibbles: dwords i and i + 4 come from one load.
          constexpr int n = decltype(step)::value;
          constexpr int i = n / 2 + n % 2 * 4;
          constexpr int p = kScales == 2 ? n % 2 : 0;
          constexpr int s = kScales == 2 ? n / 2 : n;
          I weights[kVectors];
          unroll<kVectors>([&](auto v) SM_LAMBDA {
            weights[v] = Weights::template weight<S, i>(*record, block, lane + v * S::kLanes);
            if constexpr (Weights::kFromMemory) {
              if (from != nullptr) {
                Weights::template prefetch_behind<n * kVectors + v, 8 * kVectors>(
                    weights[v], from, w.prefetch_further);
              }
            }
          });
          unroll<kTokens>([&](auto token) SM_LAMBDA {
            constexpr int t = decltype(token)::value;
            I xs = S::splat(load_u32(q + t * x.row_bytes + 4 * i));
            unroll<kVectors>([&](auto v)
                                 SM_LAMBDA { dots[p][t][v].template step<s>(weights[v], xs); });
          });
        });
      };
      // Of one token two copies: with so little between loads, a question at each would cost.
      if (kTokens == 1 && ahead == nullptr) {
        multiply(nullptr);
      } else {
        multiply(ahead);
      }
      unroll<kVectors>([&](auto vector) SM_LAMBDA {
        constexpr int v = decltype(vector)::value;
        const int at = lane + v * S::kLanes;
        const F scale = S::load(&scales.scale[block * kScales][at]);
        const typename S::Factor factor = S::factor(scale);
        unroll<kTokens>([&](auto token) SM_LAMBDA {
          constexpr int t = decltype(token)::value;
          const uint32_t* s = side + t * kSide<Format>;
          const I first = dots[0][t][v].result();
          F product =
              kHugeScales<Format> ? S::mul(S::to_float(first), scale) : S::scaled(first, factor);
          if constexpr (kScales == 2) {
            product = S::mul_add(S::to_float(dots[1][t][v].result()),
                                 S::load(&scales.scale[block * kScales + 1][at]), product);
          }
          sums[t][v] = S::mul_add(product, splat_at<S>(s), sums[t][v]);
          if constexpr (Format::kMinimums) {
            unroll<kScales>([&](auto scale) SM_LAMBDA {
              constexpr int p = decltype(scale)::value;
              sums[t][v] = S::mul_add(S::load(&scales.minimum[block * kScales + p][at]),
                                      splat_at<S>(s + 1 + p), sums[t][v]);
            });
          }
        });
      });
      q += kActivationBlock;
      side += kTokens * kSide<Format>;
    }
  }

  for (int t = 0; t < kTokens; t++) {
    for (int v = 0; v < kVectors; v++) {
      int64_t count = out.rows - v * S::kLanes;
      float* y = out.y + t * out.stride + v * S::kLanes;
      if (count >= S::kLanes) {
        S::store(y, sums[t][v]);
      } else if (count > 0) {
        S::store(y, sums[t][v], static_cast<int>(count));
      }
    }
  }
}

}  // namespace

#endif
