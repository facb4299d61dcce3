/*
 * The two products of attention, in tiles of registers, after one of simd_*.h was included: scores
 * (queries by keys) and weighted sums of values.
 *
 * A score is the sum over the lanes of one vector, to which each lane adds every kLanes-th product;
 * a weighted sum takes its values in the order of positions. So neither depends on the tile it is
 * computed in.
 */
#ifndef SMALLMIND_ATTENTION_PRODUCTS_H
#define SMALLMIND_ATTENTION_PRODUCTS_H

#include "attention/rows.h"

namespace {

/* Pairs of a token and a query head in a tile of registers. */
constexpr int kTilePairs = kRegisters == 32 ? 4 : 2;

/* Positions whose scores are computed together. */
constexpr int kTileKeys = 4;

/* scores[p][t] = q[p] * row t of the keys. Keys beyond head_dim, up to a whole vector, are 0. */
template <class Rows, int kPairs>
__attribute__((noinline)) void score_tile(const float* const* q, const uint8_t* keys,
                                          int64_t stride, int64_t head_dim, float* scores,
                                          int64_t scores_stride) {
  Floats sums[kPairs][kTileKeys];
  unroll<kPairs>([&](auto p) SM_LAMBDA {
    unroll<kTileKeys>([&](auto t) SM_LAMBDA { sums[p][t] = fill(0.0f); });
  });
  auto step = [&](int64_t i, auto load_query) SM_LAMBDA {
    Floats k[kTileKeys];
    unroll<kTileKeys>([&](auto t) SM_LAMBDA { k[t] = Rows::load(keys + t * stride, i); });
    unroll<kPairs>([&](auto p) SM_LAMBDA {
      Floats x = load_query(q[p] + i);
      unroll<kTileKeys>([&](auto t) SM_LAMBDA { sums[p][t] = multiply_add(x, k[t], sums[p][t]); });
    });
  };
  int64_t i = 0;
  for (; i + kLanes <= head_dim; i += kLanes) {
    step(i, [](const float* x) SM_LAMBDA { return load(x); });
  }
  if (i < head_dim) {
    step(i, [&](const float* x) SM_LAMBDA { return load_first(x, head_dim - i); });
  }
  unroll<kPairs>([&](auto p) SM_LAMBDA {
    store_sums(scores + p * scores_stride, sums[p][0], sums[p][1], sums[p][2], sums[p][3]);
  });
}

#if defined(__AVX512F__)

/*
 * For many pairs, keys are turned, so that a lane is a position and no sum is across lanes. The
 * chains of products that are the lanes of a score elsewhere are summed one after the other, and
 * added to each other in the same order as there.
 */

/* Positions of turned keys that lie side by side. */
constexpr int64_t kTurnedKeys = 2 * kLanes;

/* Pairs of a tile of turned keys. */
constexpr int kTurnedPairs = 6;

template <int kPairs, int kVectors>
struct TurnedSums {
  Floats of[kPairs][kVectors];
};

/* The sum of the chains kFirst, kFirst + kStep, ... of kLanes. */
template <int kPairs, int kVectors, int kFirst, int kStep>
SM_INLINE TurnedSums<kPairs, kVectors> sum_chains(const float* const* q, const float* keys,
                                                  int64_t head_dim) {
  TurnedSums<kPairs, kVectors> sums;
  if constexpr (kStep == kLanes) {
    unroll<kPairs>([&](auto p) SM_LAMBDA {
      unroll<kVectors>([&](auto v) SM_LAMBDA { sums.of[p][v] = fill(0.0f); });
    });
    for (int64_t i = kFirst; i < head_dim; i += kLanes) {
      Floats k[kVectors];
      unroll<kVectors>([&](auto v) SM_LAMBDA { k[v] = load(keys + i * kTurnedKeys + v * kLanes); });
      unroll<kPairs>([&](auto p) SM_LAMBDA {
        const Floats x = fill(q[p][i]);
        unroll<kVectors>([&](auto v)
                             SM_LAMBDA { sums.of[p][v] = multiply_add(x, k[v], sums.of[p][v]); });
      });
    }
  } else {
    const auto even = sum_chains<kPairs, kVectors, kFirst, 2 * kStep>(q, keys, head_dim);
    const auto odd = sum_chains<kPairs, kVectors, kFirst + kStep, 2 * kStep>(q, keys, head_dim);
    unroll<kPairs>([&](auto p) SM_LAMBDA {
      unroll<kVectors>([&](auto v) SM_LAMBDA { sums.of[p][v] = add(even.of[p][v], odd.of[p][v]); });
    });
  }
  return sums;
}

/* scores[p][t] = q[p] * key t, of kVectors vectors of keys, turned: (head_dim, kTurnedKeys). */
template <int kPairs, int kVectors>
__attribute__((noinline)) void score_turned(const float* const* q, const float* keys,
                                            int64_t head_dim, float* scores,
                                            int64_t scores_stride) {
  const auto sums = sum_chains<kPairs, kVectors, 0, 1>(q, keys, head_dim);
  unroll<kPairs>([&](auto p) SM_LAMBDA {
    unroll<kVectors>(
        [&](auto v) SM_LAMBDA { store(scores + p * scores_stride + v * kLanes, sums.of[p][v]); });
  });
}

/* Decodes and turns the rows of kTurnedKeys keys: (head_dim, kTurnedKeys). head_dim is a multiple
 * of kLanes. */
template <class Rows>
__attribute__((noinline)) void decode_turned(const uint8_t* rows, int64_t stride, int64_t head_dim,
                                             float* to) {
  for (int64_t t = 0; t < kTurnedKeys; t += kLanes) {
    for (int64_t i = 0; i < head_dim; i += kLanes) {
      Floats block[kLanes];
      unroll<kLanes>([&](auto row)
                         SM_LAMBDA { block[row] = Rows::load(rows + (t + row) * stride, i); });
      turn(block);
      unroll<kLanes>([&](auto row)
                         SM_LAMBDA { store(to + (i + row) * kTurnedKeys + t, block[row]); });
    }
  }
}

#endif

/* sums[p][i] += weights[p][j] * row j of the values, i in kVectors vectors, j in [0, count). */
template <class Rows, int kPairs, int kVectors>
__attribute__((noinline)) void weigh_tile(float* const* out, int64_t i, const float* weights,
                                          int64_t weights_stride, const uint8_t* values,
                                          int64_t stride, int64_t count) {
  Floats sums[kPairs][kVectors];
  unroll<kPairs>([&](auto p) SM_LAMBDA {
    unroll<kVectors>([&](auto v) SM_LAMBDA { sums[p][v] = load(out[p] + i + v * kLanes); });
  });
  for (int64_t j = 0; j < count; j++, values += stride) {
    Floats rows[kVectors];
    unroll<kVectors>([&](auto v) SM_LAMBDA { rows[v] = Rows::load(values, i + v * kLanes); });
    unroll<kPairs>([&](auto p) SM_LAMBDA {
      const Floats w = fill(weights[p * weights_stride + j]);
      unroll<kVectors>([&](auto v)
                           SM_LAMBDA { sums[p][v] = multiply_add(w, rows[v], sums[p][v]); });
    });
  }
  unroll<kPairs>([&](auto p) SM_LAMBDA {
    unroll<kVectors>([&](auto v) SM_LAMBDA { store(out[p] + i + v * kLanes, sums[p][v]); });
  });
}

/* The last elements of heads that are no whole vectors. */
template <class Rows>
void weigh_rest(float* out, int64_t i, int64_t n, const float* weights, const uint8_t* values,
                int64_t stride, int64_t count) {
  Floats sum = load_first(out + i, n);
  for (int64_t j = 0; j < count; j++, values += stride) {
    sum = multiply_add(fill(weights[j]), Rows::load(values, i), sum);
  }
  store_first(out + i, sum, n);
}

/* out[p] += weights[p] * values. */
template <class Rows, int kPairs>
void weigh(float* const* out, int64_t head_dim, const float* weights, int64_t weights_stride,
           const uint8_t* values, int64_t stride, int64_t count) {
  // As many sums as registers hold, beside a row of values and a weight.
  constexpr int kVectors = kRegisters == 32 ? (kPairs <= 2 ? 8 : 4) : (kPairs == 1 ? 8 : 4);
  int64_t i = 0;
  for (; i + kVectors * kLanes <= head_dim; i += kVectors * kLanes) {
    weigh_tile<Rows, kPairs, kVectors>(out, i, weights, weights_stride, values, stride, count);
  }
  if (kVectors == 8 && i + 4 * kLanes <= head_dim) {
    weigh_tile<Rows, kPairs, 4>(out, i, weights, weights_stride, values, stride, count);
    i += 4 * kLanes;
  }
  if (i + 2 * kLanes <= head_dim) {
    weigh_tile<Rows, kPairs, 2>(out, i, weights, weights_stride, values, stride, count);
    i += 2 * kLanes;
  }
  if (i + kLanes <= head_dim) {
    weigh_tile<Rows, kPairs, 1>(out, i, weights, weights_stride, values, stride, count);
    i += kLanes;
  }
  for (int p = 0; i < head_dim && p < kPairs; p++) {
    weigh_rest<Rows>(out[p], i, head_dim - i, weights + p * weights_stride, values, stride, count);
  }
}

/* Decodes rows to floats, padded with zeros to whole vectors. */
template <class Rows>
__attribute__((noinline)) void decode(const uint8_t* rows, int64_t stride, int64_t count,
                                      int64_t head_dim, float* to, int64_t to_stride) {
  for (int64_t row = 0; row < count; row++, rows += stride, to += to_stride) {
    int64_t i = 0;
    for (; i + kLanes <= head_dim; i += kLanes) {
      store(to + i, Rows::load(rows, i));
    }
    if (i < head_dim) {
      store(to + i, Rows::load_first(rows, i, head_dim - i));
    }
  }
}

}  // namespace

#endif
