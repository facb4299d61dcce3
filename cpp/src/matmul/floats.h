/*
 * Matmul with float weights as they are stored, by F32 multiply-adds.
 *
 * A result is the sum over the lanes of one vector, to which each lane adds every kLanes-th
 * product; so it does not depend on the tile it is computed in.
 */
#ifndef SMALLMIND_MATMUL_FLOATS_H
#define SMALLMIND_MATMUL_FLOATS_H

#include "matmul/common.h"

namespace {

template <class Weights>
struct SingleColumns;
struct PairedColumns;

/* Elements as they are stored; how they are packed; what activations they are multiplied by. */
struct F32Weights {
  using Element = float;
  using PackedColumns = SingleColumns<F32Weights>;
  template <class S>
  static SM_INLINE typename S::F load(const Element* p) {
    return S::load(p);
  }
  template <class S>
  static SM_INLINE typename S::F activation(typename S::F x) {
    return x;
  }
};

struct F16Weights {
  using Element = uint16_t;
  using PackedColumns = SingleColumns<F16Weights>;
  template <class S>
  static SM_INLINE typename S::F load(const Element* p) {
    return S::load_f16(p);
  }
  template <class S>
  static SM_INLINE typename S::F activation(typename S::F x) {
    return x;
  }
};

struct BF16Weights {
  using Element = uint16_t;
  using PackedColumns = PairedColumns;
  template <class S>
  static SM_INLINE typename S::F load(const Element* p) {
    return S::as_float(S::template shift_left<16>(S::load_u16(p)));
  }
  template <class S>
  static SM_INLINE typename S::F activation(typename S::F x) {
    return S::round_bf16(x);
  }
};

/* x and w: the first token and row; strides in bytes; y_stride in elements. */
struct FloatTile {
  const uint8_t* x;
  int64_t x_stride;
  const uint8_t* w;
  int64_t w_stride;
  int64_t columns;
  float* y;
  int64_t y_stride;
};

/* kFirst: this tile is the first to read its weights, and asks memory for them ahead. */
template <class S, class Weights, int kRows, int kTokens, bool kFirst>
__attribute__((noinline)) void float_tile(FloatTile tile) {
  using F = typename S::F;
  using Element = typename Weights::Element;
  // The next tile's weights, or what lies a few KiB ahead.
  const int64_t distance = kRows * tile.w_stride > 8192 ? kRows * tile.w_stride : 8192;
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(Element));
  F sums[kRows][kTokens];
  for (int r = 0; r < kRows; r++) {
    for (int t = 0; t < kTokens; t++) {
      sums[r][t] = S::zero_float();
    }
  }
  const int64_t whole = tile.columns / S::kLanes * S::kLanes;
  for (int64_t k = 0; k < whole; k += S::kLanes) {
    if (kFirst && k % kLine == 0) {
      // In the order of memory: the rows of a tile lie one behind the other.
      const uint8_t* ahead = tile.w + kRows * k * static_cast<int64_t>(sizeof(Element)) + distance;
      unroll<kRows>([&](auto r) SM_LAMBDA { __builtin_prefetch(ahead + r * 64, 0, 2); });
    }
    F w[kRows];
    unroll<kRows>([&](auto r) SM_LAMBDA {
      const Element* row = reinterpret_cast<const Element*>(tile.w + r * tile.w_stride) + k;
      w[r] = Weights::template load<S>(row);
    });
    unroll<kTokens>([&](auto t) SM_LAMBDA {
      F x = Weights::template activation<S>(
          S::load(reinterpret_cast<const float*>(tile.x + t * tile.x_stride) + k));
      unroll<kRows>([&](auto r) SM_LAMBDA { sums[r][t] = S::mul_add(w[r], x, sums[r][t]); });
    });
  }
  if (whole < tile.columns) {
    const int left = static_cast<int>(tile.columns - whole);
    for (int r = 0; r < kRows; r++) {
      Element end[S::kLanes] = {};
      memcpy(end, reinterpret_cast<const Element*>(tile.w + r * tile.w_stride) + whole,
             static_cast<size_t>(left) * sizeof(Element));
      F w = Weights::template load<S>(end);
      for (int t = 0; t < kTokens; t++) {
        F x = Weights::template activation<S>(
            S::load(reinterpret_cast<const float*>(tile.x + t * tile.x_stride) + whole, left));
        sums[r][t] = S::mul_add(w, x, sums[r][t]);
      }
    }
  }
  for (int t = 0; t < kTokens; t++) {
    for (int r = 0; r < kRows; r++) {
      tile.y[t * tile.y_stride + r] = S::sum(sums[r][t]);
    }
  }
}

template <class S, class Weights, int kRows, bool kFirst, int kTokens = S::kFloatTokens>
void float_tile(int64_t tokens, const FloatTile& tile) {
  if constexpr (kTokens > 0) {
    if (tokens == kTokens) {
      float_tile<S, Weights, kRows, kTokens, kFirst>(tile);
    } else {
      float_tile<S, Weights, kRows, kFirst, kTokens - 1>(tokens, tile);
    }
  }
}

/* all.x: the first token, all.w and all.y: row 0 of the weights. */
template <class S, class Weights>
void matmul_floats(const FloatTile& all, int64_t tokens, int64_t w_begin, int64_t w_end) {
  // Tokens whose activations stay in L2 while the rows go by.
  constexpr int64_t kCacheBytes = 512 * 1024;
  const int64_t row_bytes = all.columns * static_cast<int64_t>(sizeof(float));
  int64_t block = kCacheBytes / (row_bytes + 1) / S::kFloatTokens * S::kFloatTokens;
  block = block < S::kFloatTokens ? S::kFloatTokens : block;
  for (int64_t begin = 0; begin < tokens; begin += block) {
    const int64_t end = smaller(tokens, begin + block);
    for (int64_t row = w_begin, rows; row < w_end; row += rows) {
      rows = w_end - row >= S::kFloatRows ? S::kFloatRows : 1;
      FloatTile tile = all;
      tile.w += row * all.w_stride;
      for (int64_t t = begin, count; t < end; t += count) {
        const int64_t tiles = (end - t + S::kFloatTokens - 1) / S::kFloatTokens;
        count = (end - t + tiles - 1) / tiles;
        tile.x = all.x + t * all.x_stride;
        tile.y = all.y + t * all.y_stride + row;
        if (rows == 1) {
          float_tile<S, Weights, 1, true>(count, tile);
        } else if (t == begin) {
          float_tile<S, Weights, S::kFloatRows, true>(count, tile);
        } else {
          float_tile<S, Weights, S::kFloatRows, false>(count, tile);
        }
      }
    }
  }
}

}  // namespace

#endif
