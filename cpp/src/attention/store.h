/* The storing of keys and values, after one of simd_*.h was included. */
#ifndef SMALLMIND_ATTENTION_STORE_H
#define SMALLMIND_ATTENTION_STORE_H

#include "attention/pages.h"
#include "attention/rows.h"

namespace {

void store_key_value(int32_t type, const float* k, int64_t k_stride, const float* v,
                     int64_t v_stride, int64_t row_begin, int64_t row_end, int64_t position,
                     const uint8_t* pages, int64_t key_offset, int64_t value_offset,
                     int64_t head_dim, int64_t kv_head_begin, int64_t kv_head_end) {
  with_rows(type, [&](auto rows) {
    const int64_t row_bytes = rows.bytes(head_dim);
    for (int64_t row = row_begin; row < row_end; row++) {
      const int64_t at = position + row - row_begin;
      uint8_t* slot = page_of(pages, at) + at % SM_PAGE_LENGTH * row_bytes;
      for (int64_t head = kv_head_begin; head < kv_head_end; head++) {
        uint8_t* to = slot + head * SM_PAGE_LENGTH * row_bytes;
        rows.encode(head_of(k, k_stride, row, head, head_dim), head_dim, to + key_offset);
        rows.encode(head_of(v, v_stride, row, head, head_dim), head_dim, to + value_offset);
      }
    }
  });
}

}  // namespace

#endif
