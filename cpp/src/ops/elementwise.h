/* Operations element by element, after one of simd_*.h was included. */
#ifndef SMALLMIND_OPS_ELEMENTWISE_H
#define SMALLMIND_OPS_ELEMENTWISE_H

#include "ops/functions.h"
#include "ops/rows.h"
#include "smallmind.h"

namespace {

/* Output of at least this many bytes goes past the caches. Each thread sees its own slice only, so
 * this is a share of the last-level cache rather than all of it: below, output is likely to be
 * read again from there, above, it saves reading the lines that are about to be overwritten. */
constexpr int64_t kStreamBytes = 8 << 20;

constexpr int64_t kLineBytes = 64;

/*
 * Writes out[i] for i in [0, length). at(i) gives the vector that begins at i, first(i, n) the
 * first n lanes of it.
 */
template <bool kStream, typename At, typename First>
inline void write_from(int64_t i, float* out, int64_t length, At at, First first) {
  for (; i + 4 * kLanes <= length; i += 4 * kLanes) {
    Floats v0 = at(i);
    Floats v1 = at(i + kLanes);
    Floats v2 = at(i + 2 * kLanes);
    Floats v3 = at(i + 3 * kLanes);
    if (kStream) {
      stream(out + i, v0);
      stream(out + i + kLanes, v1);
      stream(out + i + 2 * kLanes, v2);
      stream(out + i + 3 * kLanes, v3);
    } else {
      store(out + i, v0);
      store(out + i + kLanes, v1);
      store(out + i + 2 * kLanes, v2);
      store(out + i + 3 * kLanes, v3);
    }
  }
  for (; i + kLanes <= length; i += kLanes) {
    store(out + i, at(i));
  }
  if (i < length) {
    store_first(out + i, first(i, length - i), length - i);
  }
}

template <typename At, typename First>
inline void write(float* out, int64_t length, bool in_place, At at, First first) {
  if (in_place || length < kStreamBytes / static_cast<int64_t>(sizeof(float))) {
    write_from<false>(0, out, length, at, first);
    return;
  }
  // Whole lines: up to the first boundary, one vector after the other.
  int64_t head =
      static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) % kLineBytes / sizeof(float));
  for (int64_t i = 0; i < head; i += kLanes) {
    int64_t n = head - i < kLanes ? head - i : kLanes;
    store_first(out + i, first(i, n), n);
  }
  write_from<true>(head, out, length, at, first);
  stream_end();
}

template <typename Function>
inline void map(const float* in, float* out, int64_t length, Function function) {
  write(
      out, length, in == out, [=](int64_t i) { return function(load(in + i)); },
      [=](int64_t i, int64_t n) { return function(load_first(in + i, n)); });
}

template <typename Function>
inline void map(const float* a, const float* b, float* out, int64_t length, Function function) {
  write(
      out, length, a == out || b == out,
      [=](int64_t i) { return function(load(a + i), load(b + i)); },
      [=](int64_t i, int64_t n) { return function(load_first(a + i, n), load_first(b + i, n)); });
}

void binary(int32_t op, const float* a, const float* b, float* out, int64_t length) {
  switch (op) {
    case SM_BINARY_ADD:
      map(a, b, out, length, [](Floats x, Floats y) { return add(x, y); });
      break;
    case SM_BINARY_MULTIPLY:
      map(a, b, out, length, [](Floats x, Floats y) { return mul(x, y); });
      break;
  }
}

/* Calls action with the function of this name, from vector to vector. */
template <typename Action>
inline void with_function(int32_t op, Action action) {
  switch (op) {
    case SM_UNARY_RELU:
      action([](Floats x) { return relu(x); });
      break;
    case SM_UNARY_GELU_TANH:
      action([](Floats x) { return gelu_tanh(x); });
      break;
    case SM_UNARY_GELU_ERF:
      action([](Floats x) { return gelu_erf(x); });
      break;
    case SM_UNARY_SILU:
      action([](Floats x) { return silu(x); });
      break;
    case SM_UNARY_SIGMOID:
      action([](Floats x) { return sigmoid(x); });
      break;
    case SM_UNARY_TANH:
      action([](Floats x) { return tanh(x); });
      break;
  }
}

void unary(int32_t op, const float* in, float* out, int64_t length) {
  with_function(op, [=](auto function) { map(in, out, length, function); });
}

void gate(int32_t op, float* gate, int64_t gate_stride, const float* up, int64_t up_stride,
          int64_t columns, int64_t row_begin, int64_t row_end) {
  with_function(op, [=](auto function) {
    for (int64_t row = row_begin; row < row_end; row++) {
      float* to = row_of(gate, gate_stride, row);
      map(to, row_of(up, up_stride, row), to, columns,
          [=](Floats x, Floats y) { return mul(function(x), y); });
    }
  });
}

void scale(float factor, const float* in, float* out, int64_t length) {
  map(in, out, length, [=](Floats x) { return mul(fill(factor), x); });
}

}  // namespace

#endif
