/*
 * Matmul with float weights packed in groups of 32 rows, by F32 multiply-adds or BF16 dots: a
 * vector of rows at a time, times one activation, or two.
 *
 * A result is the sum of chains over kFloatColumns columns, in the order of the columns, whatever
 * the number of tokens and the split of rows: so every path gives the same bits.
 */
#ifndef SMALLMIND_MATMUL_FLOAT_PANELS_H
#define SMALLMIND_MATMUL_FLOAT_PANELS_H

#include "matmul/floats.h"
#include "processor.h"

namespace {

/* The columns of a chain. Decoded, they take half of L1. */
constexpr int64_t kFloatColumns = 128;

/* Up to so many tokens a single tile takes them all, and all columns of a group one behind the
 * other, as they lie in memory. */
constexpr int64_t kFloatFewTokens = 4;

/* Rows of activations a multiple of so many elements apart lie in the same few sets of L1, so that
 * their columns are gathered. */
constexpr int64_t kFloatSetStride = 512;

/* From so many tokens on, weights of 16 bits are decoded once for all tiles. */
constexpr int64_t kFloatDecodeTokens = 32;

/* Groups whose results for many tokens stay in L2 from chain to chain. */
constexpr int64_t kFloatGroups = 16;

constexpr Ahead kFloatAhead = {4096, 0};

/*
 * What a tile does at each step: 32 elements of weights, kColumns columns of 32 rows, times kXs
 * elements of activations. Steps beyond the last column are zero on both sides.
 */

/* (columns, 32). */
template <class Weights>
struct SingleColumns {
  using Element = typename Weights::Element;
  using X = float;
  static constexpr int kColumns = 1;
  static constexpr int kXs = 1;
  static constexpr bool kRounds = false;
  static constexpr bool kDecodes = sizeof(Element) < sizeof(float);

  template <class S>
  struct Vector {
    typename S::F w;
    SM_INLINE void load(const Element* p) { w = Weights::template load<S>(p); }
  };

  template <class S>
  struct Activation {
    typename S::F x;
    SM_INLINE void load(const X* p) { x = S::splat_float(*p); }
    SM_INLINE typename S::F multiply(const Vector<S>& v, typename S::F sum) const {
      return S::mul_add(v.w, x, sum);
    }
  };

  template <class S>
  static void gather(const float* x, int64_t columns, X* to) {
    memcpy(to, x, static_cast<size_t>(columns) * sizeof(float));
  }

  template <class S>
  static void decode(const Element* w, int64_t steps, float* panel) {
    for (int64_t i = 0; i < steps * kGroupRows; i += S::kLanes) {
      S::store(panel + i, Weights::template load<S>(w + i));
    }
  }
};

/* Two columns of BF16, (pairs of columns, 32, 2), without instructions for them. */
struct PairedColumns {
  using Element = uint32_t;
  using X = float;
  static constexpr int kColumns = 2;
  static constexpr int kXs = 2;
  static constexpr bool kRounds = true;
  static constexpr bool kDecodes = true;

  template <class S>
  struct Vector {
    typename S::F even;
    typename S::F odd;
    SM_INLINE void load(const Element* p) {
      typename S::I pairs = S::load(p);
      even = S::as_float(S::template shift_left<16>(pairs));
      odd = S::as_float(S::bit_and(pairs, S::splat(0xffff0000)));
    }
  };

  template <class S>
  struct Activation {
    typename S::F even;
    typename S::F odd;
    SM_INLINE void load(const X* p) {
      even = S::splat_float(p[0]);
      odd = S::splat_float(p[1]);
    }
    SM_INLINE typename S::F multiply(const Vector<S>& v, typename S::F sum) const {
      return S::mul_add(v.odd, odd, S::mul_add(v.even, even, sum));
    }
  };

  template <class S>
  static void gather(const float* x, int64_t columns, X* to) {
    int64_t k = 0;
    for (; k + S::kLanes <= columns; k += S::kLanes) {
      S::store(to + k, S::round_bf16(S::load(x + k)));
    }
    if (k < columns) {
      const int left = static_cast<int>(columns - k);
      S::store(to + k, S::round_bf16(S::load(x + k, left)), left);
    }
    if (columns % 2 != 0) {
      to[columns] = 0;
    }
  }

  template <class S>
  static void decode(const Element* w, int64_t steps, float* panel) {
    for (int64_t i = 0; i < steps; i++, w += kGroupRows, panel += 2 * kGroupRows) {
      for (int lane = 0; lane < kGroupRows; lane += S::kLanes) {
        Vector<S> v;
        v.load(w + lane);
        S::store(panel + lane, v.even);
        S::store(panel + kGroupRows + lane, v.odd);
      }
    }
  }
};

/* The range of a matmul: all tokens, some rows of weights. */
struct FloatRange {
  const float* x;    // of the first token
  int64_t x_stride;  // elements
  int64_t tokens;
  int64_t rows;     // of the weights
  int64_t columns;  // of the weights
  int64_t w_begin;
  int64_t w_end;
  float* y;          // of the first token and row 0 of the weights
  int64_t y_stride;  // elements
};

/* A chain's part of a range. */
template <class Columns>
struct FloatChain {
  const typename Columns::X* x;
  int64_t x_stride;
  const typename Columns::Element* w;  // (steps, 32)
  int64_t steps;
  float* y;
  int64_t y_stride;
  int64_t rows;  // how many there are from the first on
  bool add;      // whether y holds the sums of columns before
};

/* kMemory: the weights come from memory, and are asked for ahead. */
template <class S, class Columns, int kTokens, int kVectors, bool kMemory>
__attribute__((noinline)) void float_panel_tile(FloatChain<Columns> tile) {
  using F = typename S::F;
  constexpr int kStepLines = kGroupRows * static_cast<int>(sizeof(typename Columns::Element)) / 64;
  F sums[kTokens][kVectors];
  unroll<kTokens>([&](auto t) SM_LAMBDA {
    unroll<kVectors>([&](auto v) SM_LAMBDA { sums[t][v] = S::zero_float(); });
  });
  const Ahead ahead = kIntelProcessor ? kAheadOnIntel : kFloatAhead;
  const typename Columns::Element* w = tile.w;
  for (int64_t k = 0; k < tile.steps; k++, w += kGroupRows) {
    if constexpr (kMemory) {
      const uint8_t* near = reinterpret_cast<const uint8_t*>(w) + ahead.near;
      unroll<kStepLines>([&](auto line) SM_LAMBDA { __builtin_prefetch(near + 64 * line, 0, 3); });
      if (ahead.further != 0) {
        const uint8_t* far = near + ahead.further;
        unroll<kStepLines>([&](auto line) SM_LAMBDA { __builtin_prefetch(far + 64 * line, 0, 2); });
      }
    }
    typename Columns::template Vector<S> weights[kVectors];
    unroll<kVectors>([&](auto v) SM_LAMBDA { weights[v].load(w + v * S::kLanes); });
    unroll<kTokens>([&](auto t) SM_LAMBDA {
      typename Columns::template Activation<S> x;
      x.load(tile.x + t * tile.x_stride + k * Columns::kXs);
      unroll<kVectors>([&](auto v) SM_LAMBDA { sums[t][v] = x.multiply(weights[v], sums[t][v]); });
    });
  }
  // Unrolled, so that the sums never leave their registers.
  unroll<kTokens>([&](auto t) SM_LAMBDA {
    unroll<kVectors>([&](auto v) SM_LAMBDA {
      const int64_t count = tile.rows - v * S::kLanes;
      float* y = tile.y + t * tile.y_stride + v * S::kLanes;
      if (count >= S::kLanes) {
        S::store(y, tile.add ? S::add(S::load(y), sums[t][v]) : sums[t][v]);
      } else if (count > 0) {
        const int some = static_cast<int>(count);
        S::store(y, tile.add ? S::add(S::load(y, some), sums[t][v]) : sums[t][v], some);
      }
    });
  });
}

/* Vectors of rows that a tile takes; one token alone waits for the sums of a tile otherwise. */
template <class S>
constexpr int float_vectors(int64_t tokens) {
  return tokens == 1 ? kGroupRows / S::kLanes : S::kFloatPanelVectors;
}

/* A chain of all 32 rows of a group for up to kTokens tokens. */
template <class S, class Columns, bool kMemory, int kTokens = S::kFloatPanelTokens>
void float_panel_tiles(int64_t tokens, FloatChain<Columns> tile) {
  if constexpr (kTokens == 0) {
    return;
  } else if (tokens < kTokens) {
    float_panel_tiles<S, Columns, kMemory, kTokens - 1>(tokens, tile);
  } else {
    constexpr int kVectors = float_vectors<S>(kTokens);
    constexpr int kStep = kVectors * S::kLanes;
    float_panel_tile<S, Columns, kTokens, kVectors, kMemory>(tile);
    for (int lane = kStep; lane < kGroupRows && tile.rows > kStep; lane += kStep) {
      tile.w += kStep;
      tile.y += kStep;
      tile.rows -= kStep;
      float_panel_tile<S, Columns, kTokens, kVectors, false>(tile);
    }
  }
}

/* A chain by tiles that share `tokens` tokens evenly; each asks memory for its share of the weights
 * of the next chain. */
template <class S, class Columns>
void float_panel_chain(int64_t tokens, FloatChain<Columns> tile, const uint8_t* next,
                       int64_t next_bytes) {
  int64_t tiles = (tokens + S::kFloatPanelTokens - 1) / S::kFloatPanelTokens;
  const uint8_t* const end = next + next_bytes;
  const int64_t share = next_bytes / tiles;
  for (; tokens > 0; tiles--) {
    for (const uint8_t* until = tiles == 1 ? end : next + share; next < until; next += 64) {
      __builtin_prefetch(next, 0, 2);
    }
    const int64_t count = (tokens + tiles - 1) / tiles;
    float_panel_tiles<S, Columns, false>(count, tile);
    tile.x += count * tile.x_stride;
    tile.y += count * tile.y_stride;
    tokens -= count;
  }
}

template <class Columns>
constexpr int64_t kChainSteps = kFloatColumns / Columns::kColumns;

template <class Columns>
int64_t float_steps(int64_t columns) {
  return (columns + Columns::kColumns - 1) / Columns::kColumns;
}

template <class S, class Columns>
void matmul_float_panels_few(const typename Columns::Element* w, const FloatRange& range) {
  static_assert(kFloatFewTokens <= S::kFloatPanelTokens, "one tile takes all tokens");
  using X = typename Columns::X;
  alignas(64) X side[Columns::kRounds ? kSideBytes / sizeof(X) : 1];
  const int64_t steps = float_steps<Columns>(range.columns);
  // Whole chains, as many as there is room for the rounded activations of.
  constexpr int64_t kChainXs = kChainSteps<Columns> * Columns::kXs;
  const int64_t room = Columns::kRounds ? static_cast<int64_t>(sizeof(side) / sizeof(X)) /
                                              (range.tokens * kChainXs) * kChainSteps<Columns>
                                        : steps;
  for (int64_t from = 0; from < steps; from += room) {
    const int64_t end = smaller(steps, from + room);
    FloatChain<Columns> tile;
    tile.y_stride = range.y_stride;
    if constexpr (Columns::kRounds) {
      const int64_t column = from * Columns::kColumns;
      tile.x_stride = (end - from) * Columns::kXs;
      for (int64_t t = 0; t < range.tokens; t++) {
        Columns::template gather<S>(
            range.x + t * range.x_stride + column,
            smaller(range.columns - column, (end - from) * Columns::kColumns),
            side + t * tile.x_stride);
      }
    } else {
      tile.x_stride = range.x_stride;
    }
    for (int64_t row = range.w_begin; row < range.w_end; row += kGroupRows) {
      tile.y = range.y + row;
      tile.rows = range.rows - row;
      for (int64_t step = from; step < end; step += kChainSteps<Columns>) {
        if constexpr (Columns::kRounds) {
          tile.x = side + (step - from) * Columns::kXs;
        } else {
          tile.x = range.x + step;
        }
        tile.w = w + row * steps + step * kGroupRows;
        tile.steps = smaller(kChainSteps<Columns>, end - step);
        tile.add = step > 0;
        float_panel_tiles<S, Columns, true, kFloatFewTokens>(range.tokens, tile);
      }
    }
  }
}

/* Many tokens: the same columns of some groups, for as many tokens as stay in L2 with them. */
template <class S, class Columns>
void matmul_float_panels_many(const typename Columns::Element* w, const FloatRange& range) {
  using X = typename Columns::X;
  constexpr int64_t kChainXs = kChainSteps<Columns> * Columns::kXs;
  constexpr int64_t kTokens = kSideBytes / (kFloatColumns * static_cast<int64_t>(sizeof(float))) /
                              S::kFloatPanelTokens * S::kFloatPanelTokens;
  alignas(64) X side[kTokens * kChainXs];
  alignas(64) float panel[Columns::kDecodes ? kFloatColumns * kGroupRows : 1];
  const bool gathers = Columns::kRounds || range.x_stride % kFloatSetStride == 0;
  const int64_t all_steps = float_steps<Columns>(range.columns);
  for (int64_t token = 0; token < range.tokens; token += kTokens) {
    const int64_t tokens = smaller(kTokens, range.tokens - token);
    for (int64_t rows = range.w_begin; rows < range.w_end; rows += kFloatGroups * kGroupRows) {
      const int64_t end = smaller(range.w_end, rows + kFloatGroups * kGroupRows);
      for (int64_t step = 0; step < all_steps; step += kChainSteps<Columns>) {
        const int64_t column = step * Columns::kColumns;
        const float* x = range.x + token * range.x_stride + column;
        FloatChain<Columns> chain;
        chain.steps = smaller(kChainSteps<Columns>, all_steps - step);
        chain.x = side;
        chain.x_stride = kChainXs;
        if (gathers) {
          for (int64_t t = 0; t < tokens; t++) {
            Columns::template gather<S>(x + t * range.x_stride,
                                        smaller(kFloatColumns, range.columns - column),
                                        side + t * kChainXs);
          }
        } else if constexpr (!Columns::kRounds) {
          chain.x = x;
          chain.x_stride = range.x_stride;
        }
        chain.y_stride = range.y_stride;
        chain.add = step > 0;
        for (int64_t row = rows; row < end; row += kGroupRows) {
          chain.w = w + row * all_steps + step * kGroupRows;
          chain.y = range.y + token * range.y_stride + row;
          chain.rows = range.rows - row;
          const auto* next = row + kGroupRows < end
                                 ? chain.w + kGroupRows * all_steps
                                 : w + rows * all_steps + (step + chain.steps) * kGroupRows;
          const auto* next_bytes = reinterpret_cast<const uint8_t*>(next);
          const int64_t bytes =
              chain.steps * kGroupRows * static_cast<int64_t>(sizeof(typename Columns::Element));
          if constexpr (Columns::kDecodes) {
            if (tokens >= kFloatDecodeTokens) {
              Columns::template decode<S>(chain.w, chain.steps, panel);
              float_panel_chain<S, SingleColumns<F32Weights>>(
                  tokens,
                  {chain.x, chain.x_stride, panel, chain.steps * Columns::kColumns, chain.y,
                   chain.y_stride, chain.rows, chain.add},
                  next_bytes, bytes);
              continue;
            }
          }
          float_panel_chain<S>(tokens, chain, next_bytes, bytes);
        }
      }
    }
  }
}

template <class S, class Columns>
void matmul_float_panels(const uint8_t* packed, const FloatRange& range) {
  const auto* w = reinterpret_cast<const typename Columns::Element*>(packed);
  if (range.tokens <= kFloatFewTokens) {
    matmul_float_panels_few<S, Columns>(w, range);
  } else {
    matmul_float_panels_many<S, Columns>(w, range);
  }
}

/* Rows beyond the last, and a column beyond the last of an odd number, are packed as zeros. */
template <class Weights>
void pack_floats(const uint8_t* source, int64_t row_stride, int64_t rows, int64_t columns,
                 uint8_t* target, int64_t row_begin, int64_t row_end) {
  using Element = typename Weights::Element;
  constexpr int64_t kTogether = Weights::PackedColumns::kColumns;
  // Some lines of each row at a time, so that both sides stay in L1.
  constexpr int64_t kColumns = 128 / sizeof(Element);
  const int64_t padded = float_steps<typename Weights::PackedColumns>(columns) * kTogether;
  for (int64_t group = row_begin; group < row_end; group += kGroupRows) {
    Element* to = reinterpret_cast<Element*>(target) + group * padded;
    for (int64_t from = 0; from < padded; from += kColumns) {
      const int64_t end = smaller(padded, from + kColumns);
      for (int64_t r = 0; r < kGroupRows; r++) {
        const int64_t present = group + r < rows ? smaller(end, columns) : from;
        const Element* row = reinterpret_cast<const Element*>(source + (group + r) * row_stride);
        for (int64_t k = from; k < end; k++) {
          const int64_t step = k / kTogether;
          to[(step * kGroupRows + r) * kTogether + k % kTogether] =
              k < present ? row[k] : Element{};
        }
      }
    }
  }
}

template <class Weights>
int64_t packed_float_bytes(int64_t rows, int64_t columns) {
  using Columns = typename Weights::PackedColumns;
  return (rows + kGroupRows - 1) / kGroupRows * kGroupRows * float_steps<Columns>(columns) *
         static_cast<int64_t>(sizeof(typename Columns::Element));
}

}  // namespace

#endif
