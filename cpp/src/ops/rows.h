/* Sums, and operations row by row, after one of simd_*.h was included. */
#ifndef SMALLMIND_OPS_ROWS_H
#define SMALLMIND_OPS_ROWS_H

#include <math.h>

#include "ops/functions.h"
#include "smallmind.h"

namespace {

inline const float* row_of(const float* base, int64_t stride, int64_t row) {
  return reinterpret_cast<const float*>(reinterpret_cast<const char*>(base) + row * stride);
}

inline float* row_of(float* base, int64_t stride, int64_t row) {
  return reinterpret_cast<float*>(reinterpret_cast<char*>(base) + row * stride);
}

/*
 * Folds [0, length) into one vector. full(sum, i) takes in the vector that begins at i, part(sum,
 * i, n) the first n lanes of it; combine joins two sums. Four sums hide the latency of additions.
 */
template <typename Full, typename Part, typename Combine>
inline Floats fold(int64_t length, Floats start, Full full, Part part, Combine combine) {
  Floats sums[4] = {start, start, start, start};
  int64_t i = 0;
  for (; i + 4 * kLanes <= length; i += 4 * kLanes) {
    sums[0] = full(sums[0], i);
    sums[1] = full(sums[1], i + kLanes);
    sums[2] = full(sums[2], i + 2 * kLanes);
    sums[3] = full(sums[3], i + 3 * kLanes);
  }
  for (; i + kLanes <= length; i += kLanes) {
    sums[0] = full(sums[0], i);
  }
  if (i < length) {
    sums[1] = part(sums[1], i, length - i);
  }
  return combine(combine(sums[0], sums[1]), combine(sums[2], sums[3]));
}

inline Floats plus(Floats a, Floats b) { return add(a, b); }

float dot(const float* a, const float* b, int64_t length) {
  return reduce_add(fold(
      length, fill(0.0f),
      [=](Floats sum, int64_t i) { return multiply_add(load(a + i), load(b + i), sum); },
      [=](Floats sum, int64_t i, int64_t n) {
        return multiply_add(load_first(a + i, n), load_first(b + i, n), sum);
      },
      plus));
}

/* The lanes of v from n on replaced by those of `other`. */
inline Floats first_or(Floats v, Floats other, int64_t n) {
  float lanes[kLanes];
  store(lanes, other);
  store_first(lanes, v, n);
  return load(lanes);
}

void softmax(const float* in, int64_t in_stride, int64_t columns, float* out, int64_t out_stride,
             int64_t row_begin, int64_t row_end) {
  for (int64_t row = row_begin; row < row_end; row++) {
    const float* x = row_of(in, in_stride, row);
    float* y = row_of(out, out_stride, row);
    // Here NaN is passed over; it shows in the sum, as does a maximum of minus infinity.
    const Floats lowest = fill(-INFINITY);
    Floats largest = fill(reduce_max(fold(
        columns, lowest,
        [=](Floats max, int64_t i) {
          Floats v = load(x + i);
          return select(less(max, v), v, max);
        },
        [=](Floats max, int64_t i, int64_t n) {
          Floats v = first_or(load_first(x + i, n), lowest, n);
          return select(less(max, v), v, max);
        },
        [](Floats a, Floats b) { return select(less(a, b), b, a); })));
    float sum = reduce_add(fold(
        columns, fill(0.0f),
        [=](Floats total, int64_t i) {
          Floats e = exp_negative(sub(load(x + i), largest));
          store(y + i, e);
          return add(total, e);
        },
        [=](Floats total, int64_t i, int64_t n) {
          Floats e = exp_negative(sub(load_first(x + i, n), largest));
          store_first(y + i, e, n);
          return add(total, load_first(y + i, n));
        },
        plus));
    const Floats factor = fill(1.0f / sum);
    int64_t i = 0;
    for (; i + kLanes <= columns; i += kLanes) {
      store(y + i, mul(load(y + i), factor));
    }
    store_first(y + i, mul(load_first(y + i, columns - i), factor), columns - i);
  }
}

void layer_norm(const float* in, int64_t in_stride, int64_t columns, const float* weight,
                const float* bias, float epsilon, float* out, int64_t out_stride, int64_t row_begin,
                int64_t row_end) {
  const float count = static_cast<float>(columns);
  for (int64_t row = row_begin; row < row_end; row++) {
    const float* x = row_of(in, in_stride, row);
    float* y = row_of(out, out_stride, row);
    auto sum_less = [=](float center) {
      const Floats c = fill(center);
      return reduce_add(fold(
          columns, fill(0.0f), [=](Floats sum, int64_t i) { return add(sum, sub(load(x + i), c)); },
          [=](Floats sum, int64_t i, int64_t n) {
            return add(sum, first_or(sub(load_first(x + i, n), c), fill(0.0f), n));
          },
          plus));
    };
    // The mean of what is left after the first mean makes up for the rounding of large sums.
    float mean = sum_less(0.0f) / count;
    mean += sum_less(mean) / count;
    const Floats center = fill(mean);
    float squares = reduce_add(fold(
        columns, fill(0.0f),
        [=](Floats sum, int64_t i) {
          Floats d = sub(load(x + i), center);
          return multiply_add(d, d, sum);
        },
        [=](Floats sum, int64_t i, int64_t n) {
          Floats d = first_or(sub(load_first(x + i, n), center), fill(0.0f), n);
          return multiply_add(d, d, sum);
        },
        plus));
    const Floats factor = fill(1.0f / __builtin_sqrtf(squares / count + epsilon));
    int64_t i = 0;
    for (; i + kLanes <= columns; i += kLanes) {
      Floats v = mul(sub(load(x + i), center), factor);
      store(y + i, multiply_add(v, load(weight + i), load(bias + i)));
    }
    int64_t n = columns - i;
    Floats v = mul(sub(load_first(x + i, n), center), factor);
    store_first(y + i, multiply_add(v, load_first(weight + i, n), load_first(bias + i, n)), n);
  }
}

void rms_norm(const float* in, int64_t in_stride, int64_t columns, const float* weight,
              float epsilon, float* out, int64_t out_stride, int64_t row_begin, int64_t row_end) {
  for (int64_t row = row_begin; row < row_end; row++) {
    const float* x = row_of(in, in_stride, row);
    float* y = row_of(out, out_stride, row);
    float mean = dot(x, x, columns) / static_cast<float>(columns);
    const Floats factor = fill(1.0f / __builtin_sqrtf(mean + epsilon));
    int64_t i = 0;
    for (; i + kLanes <= columns; i += kLanes) {
      store(y + i, mul(mul(load(x + i), factor), load(weight + i)));
    }
    int64_t n = columns - i;
    store_first(y + i, mul(mul(load_first(x + i, n), factor), load_first(weight + i, n)), n);
  }
}

/* (even, odd) turned by the angles whose cosines and sines are given. */
inline Pair rotate(Pair pair, Floats cosine, Floats sine) {
  return {negate_multiply_add(pair.odd, sine, mul(pair.even, cosine)),
          multiply_add(pair.odd, cosine, mul(pair.even, sine))};
}

/* One head of at most `pairs` pairs: a[i * step] with b[i * step]. */
inline void rotate_rest(float* a, float* b, int64_t step, int64_t i, int64_t pairs,
                        const float* cosines, const float* sines) {
  for (; i < pairs; i++) {
    float even = a[i * step];
    float odd = b[i * step];
    a[i * step] = even * cosines[i] - odd * sines[i];
    b[i * step] = even * sines[i] + odd * cosines[i];
  }
}

void rope(int32_t pairing, float* x, int64_t heads, int64_t head_dim, int64_t rotary_dim,
          const float* table) {
  const int64_t pairs = rotary_dim / 2;
  const float* cosines = table;
  const float* sines = table + pairs;
  for (int64_t head = 0; head < heads; head++, x += head_dim) {
    int64_t i = 0;
    if (pairing == SM_ROPE_ADJACENT) {
      for (; i + kLanes <= pairs; i += kLanes) {
        store_pairs(x + 2 * i, rotate(load_pairs(x + 2 * i), load(cosines + i), load(sines + i)));
      }
      rotate_rest(x, x + 1, 2, i, pairs, cosines, sines);
    } else {
      for (; i + kLanes <= pairs; i += kLanes) {
        Pair turned =
            rotate({load(x + i), load(x + pairs + i)}, load(cosines + i), load(sines + i));
        store(x + i, turned.even);
        store(x + pairs + i, turned.odd);
      }
      rotate_rest(x, x + pairs, 1, i, pairs, cosines, sines);
    }
  }
}

}  // namespace

#endif
