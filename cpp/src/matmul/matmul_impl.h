/* The functions of a MatmulTable, for one vocabulary: which template serves which tensor type. */
#ifndef SMALLMIND_MATMUL_MATMUL_IMPL_H
#define SMALLMIND_MATMUL_MATMUL_IMPL_H

#include "matmul/float_panels.h"
#include "matmul/formats/iq4_nl.h"
#include "matmul/formats/iq4_xs.h"
#include "matmul/formats/mxfp4.h"
#include "matmul/formats/q2_k.h"
#include "matmul/formats/q3_k.h"
#include "matmul/formats/q4_0.h"
#include "matmul/formats/q4_1.h"
#include "matmul/formats/q4_k.h"
#include "matmul/formats/q5_0.h"
#include "matmul/formats/q5_1.h"
#include "matmul/formats/q5_k.h"
#include "matmul/formats/q6_k.h"
#include "matmul/formats/q8_0.h"
#include "matmul/quantized.h"
#include "matmul/tensor_types.h"

namespace {

template <class T>
struct Tag {
  using Type = T;
};

/* Calls body with the tag of the float weights of this number, if it is one. */
template <class Body>
void with_floats(int32_t type, Body&& body) {
  switch (type) {
    case kTypeF32:
      return body(Tag<F32Weights>());
    case kTypeF16:
      return body(Tag<F16Weights>());
    case kTypeBF16:
      return body(Tag<BF16Weights>());
    default:
      return;
  }
}

/* Calls body with the tag of the quantized format of this number, if it is one, with records as
 * rows of so many columns are packed into. */
template <class Body>
void with_format(int32_t type, int64_t columns, Body&& body) {
  switch (type) {
    case kTypeQ4_0:
      return columns % (kWideQ4_0Blocks * kActivationBlock) == 0 ? body(Tag<WideQ4_0>())
                                                                 : body(Tag<Q4_0>());
    case kTypeQ4_1:
      return body(Tag<Q4_1>());
    case kTypeQ5_0:
      return body(Tag<Q5_0>());
    case kTypeQ5_1:
      return body(Tag<Q5_1>());
    case kTypeQ8_0:
      return body(Tag<Q8_0>());
    case kTypeQ2_K:
      return body(Tag<Q2_K>());
    case kTypeQ3_K:
      return body(Tag<Q3_K>());
    case kTypeQ4_K:
      return body(Tag<Q4_K>());
    case kTypeQ5_K:
      return body(Tag<Q5_K>());
    case kTypeQ6_K:
      return body(Tag<Q6_K>());
    case kTypeIQ4_NL:
      return body(Tag<IQ4_NL>());
    case kTypeIQ4_XS:
      return body(Tag<IQ4_XS>());
    case kTypeMXFP4:
      return body(Tag<MXFP4>());
    default:
      return;
  }
}

template <class S>
struct Matmul {
  static int32_t row_group(int32_t /* type */) { return kGroupRows; }

  static int64_t packed_bytes(int32_t type, int64_t rows, int64_t columns) {
    int64_t bytes = 0;
    with_floats(type, [&](auto tag) {
      bytes = packed_float_bytes<typename decltype(tag)::Type>(rows, columns);
    });
    with_format(type, columns, [&](auto tag) {
      bytes = ::packed_bytes<typename decltype(tag)::Type>(rows, columns);
    });
    return bytes;
  }

  static void pack(int32_t type, const uint8_t* source, int64_t row_stride, int64_t rows,
                   int64_t columns, uint8_t* target, int64_t row_begin, int64_t row_end) {
    with_floats(type, [&](auto tag) {
      pack_floats<typename decltype(tag)::Type>(source, row_stride, rows, columns, target,
                                                row_begin, row_end);
    });
    with_format(type, columns, [&](auto tag) {
      ::pack<typename decltype(tag)::Type>(source, row_stride, rows, columns, target, row_begin,
                                           row_end);
    });
  }

  static void matmul(int32_t type, const float* x, int64_t x_stride, const uint8_t* xq,
                     int64_t x_begin, int64_t x_end, const uint8_t* w, int64_t w_stride,
                     int64_t rows, int64_t columns, int64_t w_begin, int64_t w_end, float* y,
                     int64_t y_stride) {
    const Range range = range_of(xq, x_begin, x_end, columns, w_begin, w_end, y, y_stride);
    if (range.tokens <= 0 || w_begin >= w_end) {
      return;
    }
    const int64_t x_elements = x_stride / static_cast<int64_t>(sizeof(float));
    const float* x_first = x + x_begin * x_elements;
    with_floats(type, [&](auto tag) {
      using Weights = typename decltype(tag)::Type;
      if (w_stride > 0) {
        matmul_floats<S, Weights>({reinterpret_cast<const uint8_t*>(x_first), x_stride, w, w_stride,
                                   columns, range.y, range.y_stride},
                                  range.tokens, w_begin, w_end);
      } else {
        matmul_float_panels<S, typename Weights::PackedColumns>(
            w, {x_first, x_elements, range.tokens, rows, columns, w_begin, w_end, range.y,
                range.y_stride});
      }
    });
    with_format(type, columns, [&](auto tag) {
      matmul_quantized<S, typename decltype(tag)::Type>(w, w_stride, range);
    });
  }

  static constexpr MatmulTable table() { return {row_group, packed_bytes, pack, matmul}; }
};

}  // namespace

#endif
