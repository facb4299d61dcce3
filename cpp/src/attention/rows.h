/*
 * Rows of keys or values as they are stored: how to read and write a vector of them, after one of
 * simd_*.h was included. Every format is decoded to the same floats wherever that is done.
 */
#ifndef SMALLMIND_ATTENTION_ROWS_H
#define SMALLMIND_ATTENTION_ROWS_H

#include <string.h>

#include "smallmind.h"
#include "unroll.h"

namespace {

struct F32Rows {
  static int64_t bytes(int64_t elements) { return 4 * elements; }

  /* kLanes values from element i on, a multiple of kLanes. */
  static SM_INLINE Floats load(const uint8_t* row, int64_t i) {
    return ::load(reinterpret_cast<const float*>(row) + i);
  }
  /* The n values that are left from element i on; the other lanes are 0. */
  static SM_INLINE Floats load_first(const uint8_t* row, int64_t i, int64_t n) {
    return ::load_first(reinterpret_cast<const float*>(row) + i, n);
  }
  static void encode(const float* from, int64_t elements, uint8_t* row) {
    memcpy(row, from, static_cast<size_t>(bytes(elements)));
  }
};

struct F16Rows {
  static int64_t bytes(int64_t elements) { return 2 * elements; }

  static SM_INLINE Floats load(const uint8_t* row, int64_t i) {
    return load_f16(reinterpret_cast<const uint16_t*>(row) + i);
  }
  static SM_INLINE Floats load_first(const uint8_t* row, int64_t i, int64_t n) {
    uint16_t lanes[kLanes] = {};
    memcpy(lanes, row + 2 * i, static_cast<size_t>(2 * n));
    return load_f16(lanes);
  }
  static void encode(const float* from, int64_t elements, uint8_t* row) {
    uint16_t* to = reinterpret_cast<uint16_t*>(row);
    int64_t i = 0;
    for (; i + kLanes <= elements; i += kLanes) {
      store_f16(to + i, ::load(from + i));
    }
    if (i < elements) {
      uint16_t lanes[kLanes];
      store_f16(lanes, ::load_first(from + i, elements - i));
      memcpy(to + i, lanes, static_cast<size_t>(2 * (elements - i)));
    }
  }
};

/* Blocks of 32 values: an F16 scale, then signed bytes. */
struct Q80Rows {
  static constexpr int64_t kBlock = 32;
  static constexpr int64_t kBlockBytes = 2 + kBlock;
  static_assert(kBlock % kLanes == 0, "a vector has one scale");

  static int64_t bytes(int64_t elements) { return elements / kBlock * kBlockBytes; }

  static SM_INLINE Floats load(const uint8_t* row, int64_t i) {
    const uint8_t* block = row + i / kBlock * kBlockBytes;
    uint16_t scale;
    memcpy(&scale, block, sizeof(scale));
    return mul(load_bytes(reinterpret_cast<const int8_t*>(block + 2) + i % kBlock),
               fill_f16(scale));
  }
  static SM_INLINE Floats load_first(const uint8_t* row, int64_t i, int64_t) {
    return load(row, i);  // never needed: rows are whole blocks
  }

  static void encode(const float* from, int64_t elements, uint8_t* row) {
    for (int64_t i = 0; i < elements; i += kBlock, row += kBlockBytes) {
      encode_block(from + i, row);
    }
  }

 private:
  static void encode_block(const float* from, uint8_t* block) {
    Floats largest = fill(0.0f);
    for (int64_t i = 0; i < kBlock; i += kLanes) {
      Floats a = absolute(::load(from + i));
      largest = select(less(largest, a), a, largest);
    }
    const float scale = reduce_max(largest) / 127.0f;
    const Floats inverse = fill(scale == 0.0f ? 0.0f : 1.0f / scale);
    uint16_t half[kLanes];
    store_f16(half, fill(scale));
    memcpy(block, half, sizeof(half[0]));
    for (int64_t i = 0; i < kBlock; i += kLanes) {
      Floats steps = mul(::load(from + i), inverse);
      // To nearest, ties away from 0; what is not finite becomes 0.
      Floats a = absolute(steps);
      a = select(less(a, fill(128.0f)), a, fill(0.0f));
      Floats rounded = round_even(a);
      rounded = select(less(sub(a, rounded), fill(0.5f)), rounded, add(rounded, fill(1.0f)));
      Floats quants = with_sign_of(steps, at_most(fill(127.0f), rounded));
      store_bytes(reinterpret_cast<int8_t*>(block + 2) + i, to_ints_even(quants));
    }
  }
};

/* Calls body with the reader of a type. */
template <class Body>
SM_INLINE void with_rows(int32_t type, Body&& body) {
  switch (type) {
    case 0:
      return body(F32Rows());
    case 1:
      return body(F16Rows());
    case 8:
      return body(Q80Rows());
    default:
      return;
  }
}

}  // namespace

#endif
