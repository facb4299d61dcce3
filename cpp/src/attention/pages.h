/* Where keys, values and the heads of a token lie. */
#ifndef SMALLMIND_ATTENTION_PAGES_H
#define SMALLMIND_ATTENTION_PAGES_H

#include <stdint.h>
#include <string.h>

#include "smallmind.h"

namespace {

/* The page that holds a position. */
inline uint8_t* page_of(const uint8_t* pages, int64_t position) {
  uint64_t address;
  memcpy(&address, pages + position / SM_PAGE_LENGTH * 8, sizeof(address));
  return reinterpret_cast<uint8_t*>(address);
}

/* A head of a row; stride in bytes. */
template <class Float>
inline Float* head_of(Float* base, int64_t stride, int64_t row, int64_t head, int64_t head_dim) {
  return base + row * (stride / static_cast<int64_t>(sizeof(float))) + head * head_dim;
}

}  // namespace

#endif
