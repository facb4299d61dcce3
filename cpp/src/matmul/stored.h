/*
 * Blocks of weights as they are stored, to be packed: of one row, or of four at once, whose dwords
 * are then turned in registers. Formats say it once for both.
 */
#ifndef SMALLMIND_MATMUL_STORED_H
#define SMALLMIND_MATMUL_STORED_H

#include "matmul/common.h"

namespace {

/* Four dwords of a row, or a dword of each of four rows. */
typedef uint32_t FourDwords __attribute__((vector_size(16)));

#if defined(__AVX2__)

/* Rows that are packed at once: the second four lie in the upper halves of vectors. */
constexpr int kStoredRows = 8;

/* A dword of each of so many rows. */
typedef uint32_t ManyDwords __attribute__((vector_size(32)));

SM_INLINE ManyDwords join(FourDwords a, FourDwords b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Interleaves the first two, or the last two, of each four lanes; or pairs of lanes. */
SM_INLINE ManyDwords interleave_low(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
}
SM_INLINE ManyDwords interleave_high(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
}
SM_INLINE ManyDwords pairs_low(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
}
SM_INLINE ManyDwords pairs_high(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
}

#else

constexpr int kStoredRows = 4;
typedef FourDwords ManyDwords;

SM_INLINE ManyDwords interleave_low(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
SM_INLINE ManyDwords interleave_high(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
SM_INLINE ManyDwords pairs_low(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 0, 1, 4, 5);
}
SM_INLINE ManyDwords pairs_high(ManyDwords a, ManyDwords b) {
  return __builtin_shufflevector(a, b, 2, 3, 6, 7);
}

#endif

/* Dwords is uint32_t or ManyDwords. */
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
      ManyDwords dwords;
      for (int i = 0; i < kRows; i++) {
        dwords[i] = load_u32(block + at + i * stride);
      }
      return dwords;
    }
  }

  /* The 16 bytes at byte `at` of the blocks, as four dwords. */
  SM_INLINE void four(int64_t at, Dwords* to) const {
    if constexpr (kRows == 1) {
      memcpy(to, block + at, 16);
    } else {
      ManyDwords rows[4];
      for (int i = 0; i < 4; i++) {
        rows[i] = sixteen(block + at + i * stride);
      }
      const ManyDwords low01 = interleave_low(rows[0], rows[1]);
      const ManyDwords high01 = interleave_high(rows[0], rows[1]);
      const ManyDwords low23 = interleave_low(rows[2], rows[3]);
      const ManyDwords high23 = interleave_high(rows[2], rows[3]);
      to[0] = pairs_low(low01, low23);
      to[1] = pairs_high(low01, low23);
      to[2] = pairs_low(high01, high23);
      to[3] = pairs_high(high01, high23);
    }
  }

  /* Copies a byte, or two, of each row to its place among the rows of a record. */
  template <class Element>
  SM_INLINE void copy(int64_t at, Element* to) const {
    for (int i = 0; i < kRows; i++) {
      memcpy(to + i, block + at + i * stride, sizeof(Element));
    }
  }

 private:
  /* 16 bytes of a row, and of the fourth behind it if vectors have room. */
  SM_INLINE ManyDwords sixteen(const uint8_t* p) const {
    FourDwords first;
    memcpy(&first, p, sizeof(first));
#if defined(__AVX2__)
    FourDwords second;
    memcpy(&second, p + 4 * stride, sizeof(second));
    return join(first, second);
#else
    return first;
#endif
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
    typedef uint8_t Bytes __attribute__((vector_size(4 * kStoredRows)));
    Dwords dwords[4];
    stored.four(at, dwords);
    for (int i = 0; i < 4; i++) {
      const Bytes bytes = reinterpret_cast<Bytes>(dwords[i]);  // (rows, 4)
#if defined(__AVX2__)
      const auto turned = reinterpret_cast<Dwords>(__builtin_shufflevector(
          bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 16, 20, 24, 28, 17,
          21, 25, 29, 18, 22, 26, 30, 19, 23, 27, 31));
#else
      const auto turned = reinterpret_cast<Dwords>(__builtin_shufflevector(
          bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
#endif
      for (int j = 0; j < kStoredRows; j++) {
        const uint32_t rows = turned[j];
        memcpy(&to[4 * i + j % 4][row + j / 4 * 4], &rows, sizeof(rows));
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
