/*
 * Blocks of weights as they are stored, to be packed: of one row, or of four at once, whose dwords
 * are then turned in registers. Formats say it once for both.
 */
#ifndef SMALLMIND_MATMUL_STORED_H
#define SMALLMIND_MATMUL_STORED_H

#include "matmul/common.h"

namespace {

/* A dword of each of four rows. */
typedef uint32_t FourDwords __attribute__((vector_size(16)));

/* Dwords is uint32_t or FourDwords. */
template <class Dwords>
struct Stored {
  static constexpr int kRows = static_cast<int>(sizeof(Dwords)) / 4;

  const uint8_t* block;  // of the first row
  int64_t stride;        // from row to row

  /* The dwords at byte `at` of the blocks. */
  SM_INLINE Dwords dword(int64_t at) const {
    if constexpr (kRows == 1) {
      return load_u32(block + at);
    } else {
      return FourDwords{load_u32(block + at), load_u32(block + at + stride),
                        load_u32(block + at + 2 * stride), load_u32(block + at + 3 * stride)};
    }
  }

  /* The 16 bytes at byte `at` of the blocks, as four dwords. */
  SM_INLINE void four(int64_t at, Dwords* to) const {
    if constexpr (kRows == 1) {
      memcpy(to, block + at, 16);
    } else {
      FourDwords rows[4];
      for (int i = 0; i < 4; i++) {
        memcpy(&rows[i], block + at + i * stride, 16);
      }
      FourDwords low01 = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
      FourDwords high01 = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
      FourDwords low23 = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
      FourDwords high23 = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
      to[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
      to[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
      to[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
      to[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    }
  }

  /* Copies a byte, or two, of each row to its place among the rows of a record. */
  template <class Element>
  SM_INLINE void copy(int64_t at, Element* to) const {
    for (int i = 0; i < kRows; i++) {
      memcpy(to + i, block + at + i * stride, sizeof(Element));
    }
  }
};

/* Stores dwords in the places of their rows. */
template <class Dwords>
SM_INLINE void put(Dwords dwords, uint32_t* to) {
  memcpy(to, &dwords, sizeof(dwords));
}

/* Copies 16 bytes to as many rows of a record. */
template <class Dwords, class Byte>
SM_INLINE void copy_bytes(const Stored<Dwords>& stored, int64_t at, Byte (*to)[kGroupRows],
                          int row) {
  if constexpr (Stored<Dwords>::kRows == 1) {
    for (int i = 0; i < 16; i++) {
      stored.copy(at + i, &to[i][row]);
    }
  } else {
    typedef uint8_t Bytes __attribute__((vector_size(16)));
    Dwords dwords[4];
    stored.four(at, dwords);
    for (int i = 0; i < 4; i++) {
      const Bytes bytes = reinterpret_cast<Bytes>(dwords[i]);  // (rows, 4)
      const auto turned = reinterpret_cast<Dwords>(__builtin_shufflevector(
          bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
      for (int j = 0; j < 4; j++) {
        const uint32_t rows = turned[j];
        memcpy(&to[4 * i + j][row], &rows, sizeof(rows));
      }
    }
  }
}

/* Copies kCount dwords, a multiple of four, as they are. */
template <int kCount, class Dwords>
SM_INLINE void copy_dwords(const Stored<Dwords>& stored, int64_t at, uint32_t (*to)[kGroupRows],
                           int row) {
  static_assert(kCount % 4 == 0, "whole loads");
  for (int i = 0; i < kCount; i += 4) {
    Dwords dwords[4];
    stored.four(at + 4 * i, dwords);
    for (int j = 0; j < 4; j++) {
      put(dwords[j], &to[i + j][row]);
    }
  }
}

/* Eight dwords: 32 bytes. */
template <class Dwords>
struct EightDwords {
  Dwords of[8];

  SM_INLINE EightDwords(const Stored<Dwords>& stored, int64_t at) {
    stored.four(at, of);
    stored.four(at + 16, of + 4);
  }

  /* Shifts down, and masks byte by byte. */
  SM_INLINE EightDwords part(uint32_t shift, uint32_t mask) const {
    EightDwords some = *this;
    for (Dwords& dwords : some.of) {
      dwords = dwords >> shift & mask;
    }
    return some;
  }
};

/* The dwords of a block as nibbles. */
template <class Dwords>
SM_INLINE void put_nibbles(const EightDwords<Dwords>& dwords, uint32_t (*q)[kGroupRows], int row) {
  for (int i = 0; i < 4; i++) {
    put(dwords.of[i] | dwords.of[i + 4] << 4, &q[i][row]);
  }
}

template <class Dwords>
SM_INLINE void put_pairs(const EightDwords<Dwords>& dwords, uint32_t (*q)[kGroupRows], int row) {
  for (int j = 0; j < 2; j++) {
    const Dwords* d = dwords.of + 4 * j;
    put(d[0] | d[1] << 2 | d[2] << 4 | d[3] << 6, &q[j][row]);
  }
}

template <class Dwords>
SM_INLINE void put_bits(const EightDwords<Dwords>& dwords, uint32_t* q, int row) {
  Dwords plane = dwords.of[0];
  for (uint32_t i = 1; i < 8; i++) {
    plane |= dwords.of[i] << i;
  }
  put(plane, &q[row]);
}

}  // namespace

#endif
