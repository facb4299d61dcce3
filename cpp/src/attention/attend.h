/*
 * Attention over the stream of positions, after one of simd_*.h was included.
 *
 * The unit is a pair of a token and a query head. A block of pairs that read the same keys goes
 * through the positions tile by tile; of each pair, a running maximum, sum of weights and weighted
 * sum of values (in `out`) are kept. Tiles begin at multiples of a page, and whatever is summed for
 * a pair takes only the positions that it sees, in their order: its result has the same bits in
 * whatever block it is computed.
 */
#ifndef SMALLMIND_ATTENTION_ATTEND_H
#define SMALLMIND_ATTENTION_ATTEND_H

#include <math.h>

#include "attention/pages.h"
#include "attention/products.h"
#include "ops/functions.h"

namespace {

constexpr int64_t kTile = SM_PAGE_LENGTH;  // positions
constexpr int64_t kBlockPairs = 128;

/* Up to so many pairs read keys and values as they are stored; for more, decoding them once to
 * floats pays. */
constexpr int64_t kDirectPairs = 2 * kTilePairs;

/* Decoded keys or values of a tile, or of a part of it if heads are long. */
constexpr int64_t kDecodedFloats = 16 * 1024;
static_assert(kDecodedFloats >= kTileKeys * SM_MAX_HEAD_DIM, "room for a tile of registers");

/* Positions to go through before the next pairs: as many as let their rows, of so many floats
 * together, stay in the first cache; those read from the page are fewer, as memory is asked for the
 * next ones at each step. */
constexpr int64_t kStep = 16;
constexpr int64_t kStepFloats = 4 * 1024;
static_assert(kStep % kTileKeys == 0, "steps are whole tiles of registers");

struct AttentionCall {
  const float* q;
  int64_t q_stride;
  int64_t row_begin;
  int64_t position;
  const uint8_t* pages;
  int64_t key_offset;
  int64_t value_offset;
  int64_t head_dim;
  int64_t group;
  float scale;
  float soft_cap;
  int64_t window;
  float* out;
  int64_t out_stride;
};

/* Positions, from `begin` on, before `end`. */
struct Range {
  int64_t begin;
  int64_t end;
};

inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows of keys or values, stored or decoded, of some positions of a tile. */
struct TileRows {
  const uint8_t* first;  // the row of position `begin`
  int64_t stride;        // bytes
  int64_t begin;
  int64_t end;

  const uint8_t* row(int64_t position) const { return first + (position - begin) * stride; }
};

inline void prefetch(const uint8_t* memory, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch(memory + i, 0, 2);
  }
}

template <class Rows>
class Block {
 public:
  Block(const AttentionCall& call, int64_t kv_head, int64_t pair_begin, int64_t pairs)
      : call_(call),
        row_bytes_(Rows::bytes(call.head_dim)),
        padded_((call.head_dim + kLanes - 1) / kLanes * kLanes),
        direct_(call.head_dim % kLanes == 0 && pairs <= kDirectPairs),
        step_(direct_ ? kStep : larger(1, kStepFloats / (kStep * padded_)) * kStep),
        key_offset_(call.key_offset + kv_head * SM_PAGE_LENGTH * row_bytes_),
        value_offset_(call.value_offset + kv_head * SM_PAGE_LENGTH * row_bytes_),
        pairs_(pairs) {
    for (int64_t p = 0; p < pairs; p++) {
      const int64_t row = (pair_begin + p) / call.group;
      const int64_t head = kv_head * call.group + (pair_begin + p) % call.group;
      const int64_t position = call.position + row;
      q_[p] = head_of(call.q, call.q_stride, call.row_begin + row, head, call.head_dim);
      out_[p] = head_of(call.out, call.out_stride, call.row_begin + row, head, call.head_dim);
      seen_[p] = {call.window > 0 ? larger(0, position - call.window + 1) : 0, position + 1};
      memset(out_[p], 0, static_cast<size_t>(call.head_dim) * sizeof(float));
      maxima_[p] = -INFINITY;
      store(sums_[p], fill(0.0f));
    }
  }

  void run() {
    const int64_t end = seen_[pairs_ - 1].end;
    for (tile_ = seen_[0].begin / kTile * kTile; tile_ < end; tile_ += kTile) {
      const uint8_t* page = page_of(call_.pages, tile_);
      const uint8_t* next = tile_ + kTile < end ? page_of(call_.pages, tile_ + kTile) : nullptr;
      score(page + key_offset_, next ? next + key_offset_ : nullptr);
      weights_of_scores();
      weigh(page + value_offset_, next ? next + value_offset_ : nullptr);
    }
    for (int64_t p = 0; p < pairs_; p++) {
      multiply(out_[p], fill(1.0f / reduce_add(load(sums_[p]))));
    }
  }

 private:
  /* The positions of the tile that a pair sees, counted from the tile's first. */
  Range in_tile(int64_t pair) const {
    return {larger(0, seen_[pair].begin - tile_), smaller(kTile, seen_[pair].end - tile_)};
  }

  /* Those that some of the pairs from first to last see. */
  Range in_tile(int64_t first, int64_t last) const {
    return {in_tile(first).begin, in_tile(last).end};
  }

  /* Calls body with the number of a tile's pairs, and the first of them. */
  template <int kPairs, class Body>
  static SM_INLINE void with_pairs(int64_t pairs, int64_t first, Body&& body) {
    if constexpr (kPairs > 0) {
      if (pairs == kPairs) {
        body(std::integral_constant<int, kPairs>(), first);
      } else {
        with_pairs<kPairs - 1>(pairs, first, body);
      }
    }
  }
  template <int kMost = kTilePairs, class Body>
  SM_INLINE void each_tile(Body&& body) {
    for (int64_t p = 0, count; p < pairs_; p += count) {
      const int64_t tiles = (pairs_ - p + kMost - 1) / kMost;
      count = (pairs_ - p + tiles - 1) / tiles;
      with_pairs<kMost>(count, p, body);
    }
  }

  /* Calls body with the rows of the tile that are needed, as they are stored or decoded. */
  template <class Body>
  SM_INLINE void with_rows_of_tile(const uint8_t* stored, Body&& body) {
    Range all = in_tile(0, pairs_ - 1);
    all.begin = all.begin / kTileKeys * kTileKeys;
    if (direct_) {
      return body(Rows(), TileRows{stored, row_bytes_, 0, kTile});
    }
    const int64_t most = kDecodedFloats / padded_ / kTileKeys * kTileKeys;
    for (int64_t begin = all.begin, end; begin < all.end; begin = end) {
      end = smaller((all.end + kTileKeys - 1) / kTileKeys * kTileKeys, begin + most);
      decode<Rows>(stored + begin * row_bytes_, row_bytes_, end - begin, call_.head_dim, decoded_,
                   padded_);
      body(F32Rows(),
           TileRows{reinterpret_cast<const uint8_t*>(decoded_), 4 * padded_, begin, end});
    }
  }

  /* Calls body with the parts of rows to go through at once; asks memory for those of the next
   * tile ahead. */
  template <class Body>
  SM_INLINE void each_step(const TileRows& rows, const uint8_t* next, Body&& body) {
    const Range all = in_tile(0, pairs_ - 1);
    const int64_t last = smaller(rows.end, all.end);
    int64_t begin = larger(rows.begin, all.begin / step_ * step_);
    for (; begin < last; begin += step_) {
      if (direct_ && next) {
        prefetch(next + begin * row_bytes_, step_ * row_bytes_);
      }
      body(Range{begin, smaller(rows.end, begin + step_)});
    }
  }

  void score(const uint8_t* keys, const uint8_t* next) {
#if defined(__AVX512F__)
    if (!direct_ && call_.head_dim % kLanes == 0 &&
        call_.head_dim * kTurnedKeys <= kDecodedFloats) {
      return score_turned(keys);
    }
#endif
    with_rows_of_tile(keys, [&](auto reader, const TileRows& rows) {
      each_step(rows, next, [&](Range step) {
        each_tile([&](auto pairs, int64_t p) {
          const Range seen = in_tile(p, p + pairs - 1);
          int64_t j = larger(step.begin, seen.begin / kTileKeys * kTileKeys);
          for (; j < smaller(step.end, seen.end); j += kTileKeys) {
            score_tile<decltype(reader), pairs>(q_ + p, rows.row(j), rows.stride, call_.head_dim,
                                                weights_[p] + j, kTile);
          }
        });
      });
    });
  }

#if defined(__AVX512F__)
  /* Decodes and turns some keys at a time. */
  void score_turned(const uint8_t* keys) {
    const Range all = in_tile(0, pairs_ - 1);
    for (int64_t j = all.begin / kTurnedKeys * kTurnedKeys; j < all.end; j += kTurnedKeys) {
      decode_turned<Rows>(keys + j * row_bytes_, row_bytes_, call_.head_dim, decoded_);
      each_tile<kTurnedPairs>([&](auto pairs, int64_t p) {
        const Range seen = in_tile(p, p + pairs - 1);
        const int64_t behind = seen.end - j;
        if (behind > kLanes) {
          ::score_turned<pairs, 2>(q_ + p, decoded_, call_.head_dim, weights_[p] + j, kTile);
        } else if (behind > 0) {
          ::score_turned<pairs, 1>(q_ + p, decoded_, call_.head_dim, weights_[p] + j, kTile);
        }
      });
    }
  }
#endif

  bool sees_all(int64_t p) const {
    const Range seen = in_tile(p);
    return seen.begin == 0 && seen.end == kTile && !(call_.soft_cap > 0);
  }

  /* Turns scores into weights; carries maxima and sums on. First all maxima, for which one waits
   * otherwise. */
  void weights_of_scores() {
    for (int64_t p = 0; p < pairs_; p++) {
      const Range seen = in_tile(p);
      if (sees_all(p)) {
        raise_maximum(p, largest_of_tile(p));
      } else if (seen.begin < seen.end) {
        raise_maximum(p, finish_scores(weights_[p], seen, maxima_[p]));
      }
    }
    for (int64_t p = 0; p < pairs_; p++) {
      const Range seen = in_tile(p);
      if (sees_all(p)) {
        weights_of_tile(p);
      } else if (seen.begin < seen.end) {
        weights_of_range(p, seen);
      }
    }
  }

  /* Scales the scores of a whole tile, and returns the largest. */
  SM_INLINE float largest_of_tile(int64_t p) {
    const Floats scale = fill(call_.scale);
    Floats largest = fill(maxima_[p]);
    unroll<kTile / kLanes>([&](auto v) SM_LAMBDA {
      float* scores = weights_[p] + v * kLanes;
      const Floats scaled = mul(load(scores), scale);
      store(scores, scaled);
      largest = at_least(scaled, largest);
    });
    return reduce_max(largest);
  }

  SM_INLINE void weights_of_tile(int64_t p) {
    const Floats max = fill(maxima_[p]);
    Floats sum = load(sums_[p]);
    unroll<kTile / kLanes>([&](auto v) SM_LAMBDA {
      float* weights = weights_[p] + v * kLanes;
      const Floats weight = exp_negative(sub(load(weights), max));
      sum = add(sum, weight);
      store(weights, weight);
    });
    store(sums_[p], sum);
  }

  void weights_of_range(int64_t p, Range seen) {
    const Floats max = fill(maxima_[p]);
    Floats sum = load(sums_[p]);
    for (int64_t j = seen.begin / kLanes * kLanes; j < seen.end; j += kLanes) {
      Floats weight = exp_negative(sub(load(weights_[p] + j), max));
      sum = add(sum, weight);
      store(weights_[p] + j, weight);
    }
    store(sums_[p], sum);
  }

  /* What was summed under a lower maximum shrinks. */
  SM_INLINE void raise_maximum(int64_t p, float max) {
    if (max != maxima_[p]) {
      const Floats factor = exp_negative(sub(fill(maxima_[p]), fill(max)));
      store(sums_[p], mul(load(sums_[p]), factor));
      multiply(out_[p], factor);
      maxima_[p] = max;
    }
  }

  /* Scales and caps scores, gives minus infinity to positions that are not seen, and returns the
   * largest; NaN may be passed over here, and shows in the sum. */
  float finish_scores(float* scores, Range seen, float max) const {
    const Floats scale = fill(call_.scale);
    const Floats cap = fill(call_.soft_cap);
    Floats largest = fill(max);
    for (int64_t j = seen.begin / kLanes * kLanes; j < seen.end; j += kLanes) {
      Floats s = mul(load(scores + j), scale);
      if (call_.soft_cap > 0) {
        s = mul(cap, tanh(div(s, cap)));
      }
      if (j < seen.begin || j + kLanes > seen.end) {
        float lanes[kLanes];
        store(lanes, s);
        for (int64_t lane = 0; lane < kLanes; lane++) {
          lanes[lane] = j + lane < seen.begin || j + lane >= seen.end ? -INFINITY : lanes[lane];
        }
        s = load(lanes);
      }
      store(scores + j, s);
      largest = at_least(s, largest);
    }
    return reduce_max(largest);
  }

  void weigh(const uint8_t* values, const uint8_t* next) {
    with_rows_of_tile(values, [&](auto reader, const TileRows& rows) {
      each_step(rows, next, [&](Range step) {
        each_tile([&](auto pairs, int64_t p) {
          constexpr int kPairs = pairs;
          // First and last positions are not seen by all; those in between are taken together.
          const Range common = {larger(step.begin, in_tile(p + kPairs - 1).begin),
                                smaller(step.end, in_tile(p).end)};
          if (kPairs == 1 || common.begin >= common.end) {
            for (int64_t one = p; one < p + kPairs; one++) {
              weigh<decltype(reader), 1>(one, rows, step.begin, step.end);
            }
            return;
          }
          for (int64_t one = p; one < p + kPairs; one++) {
            weigh<decltype(reader), 1>(one, rows, step.begin, common.begin);
          }
          weigh<decltype(reader), kPairs>(p, rows, common.begin, common.end);
          for (int64_t one = p; one < p + kPairs; one++) {
            weigh<decltype(reader), 1>(one, rows, common.end, step.end);
          }
        });
      });
    });
  }

  /* Adds the weighted values of those of the positions that the first of some pairs sees. */
  template <class Reader, int kPairs>
  void weigh(int64_t p, const TileRows& rows, int64_t begin, int64_t end) {
    const Range seen = in_tile(p);
    begin = larger(begin, kPairs == 1 ? seen.begin : begin);
    end = smaller(end, seen.end);
    if (begin < end) {
      ::weigh<Reader, kPairs>(out_ + p, call_.head_dim, weights_[p] + begin, kTile, rows.row(begin),
                              rows.stride, end - begin);
    }
  }

  void multiply(float* x, Floats factor) const {
    int64_t i = 0;
    for (; i + kLanes <= call_.head_dim; i += kLanes) {
      store(x + i, mul(load(x + i), factor));
    }
    if (i < call_.head_dim) {
      const int64_t n = call_.head_dim - i;
      store_first(x + i, mul(load_first(x + i, n), factor), n);
    }
  }

  const AttentionCall& call_;
  const int64_t row_bytes_;  // of a stored row
  const int64_t padded_;     // elements of a decoded row
  const bool direct_;
  const int64_t step_;  // positions
  const int64_t key_offset_;
  const int64_t value_offset_;
  const int64_t pairs_;
  int64_t tile_ = 0;  // its first position

  const float* q_[kBlockPairs];
  float* out_[kBlockPairs];
  Range seen_[kBlockPairs];
  float maxima_[kBlockPairs];
  alignas(64) float sums_[kBlockPairs][kLanes];
  alignas(64) float weights_[kBlockPairs][kTile];  // scores first
  alignas(64) float decoded_[kDecodedFloats];
};

void attention(int32_t type, const float* q, int64_t q_stride, int64_t row_begin, int64_t row_end,
               int64_t position, const uint8_t* pages, int64_t key_offset, int64_t value_offset,
               int64_t head_dim, int64_t kv_head_begin, int64_t kv_head_end, int64_t group,
               float scale, float soft_cap, int64_t window, float* out, int64_t out_stride) {
  const AttentionCall call = {q,          q_stride,     row_begin, position,  pages,
                              key_offset, value_offset, head_dim,  group,     scale,
                              soft_cap,   window,       out,       out_stride};
  const int64_t pairs = (row_end - row_begin) * group;
  with_rows(type, [&](auto rows) {
    for (int64_t head = kv_head_begin; head < kv_head_end; head++) {
      for (int64_t pair = 0; pair < pairs; pair += kBlockPairs) {
        Block<decltype(rows)>(call, head, pair, smaller(kBlockPairs, pairs - pair)).run();
      }
    }
  });
}

}  // namespace

#endif
