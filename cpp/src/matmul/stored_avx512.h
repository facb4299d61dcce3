/*
 * One token by weights as they are stored, without packing them: each row is multiplied along its
 * columns, and the sums of 16 rows are then turned, so that lanes are rows. Integers don't mind the
 * order, and what follows is the chain of tile.h: the bits are those of packed weights.
 */
#ifndef SMALLMIND_MATMUL_STORED_AVX512_H
#define SMALLMIND_MATMUL_STORED_AVX512_H

#include "matmul/matmul_impl.h"
#include "matmul/simd_avx512.h"

namespace {

/*
 * Of a block of 256 weights:
 *   weights<piece>, its next 64 as unsigned bytes in the order of their columns, some of them in
 * the upper halves of their bytes, that is, 16-fold; kSixteenfold, which of the four sums of 16
 * columns are 16-fold for that reason, as bits; scales(block, row_stride, to), the scales of 16
 * rows.
 */
template <class Format>
struct StoredQuants;

constexpr int kStoredAtOnce = 16;  // rows

/* The 16 bytes at `from` of each of 16 rows: dword i of row r goes to lane r of dwords[i]. */
SM_INLINE void turn_dwords(const uint8_t* from, int64_t row_stride, __m512i (&dwords)[4]) {
  __m512i rows[4];  // i, i + 4, i + 8, i + 12
  for (int i = 0; i < 4; i++) {
    const auto of_row = [&](int row) SM_LAMBDA {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + row * row_stride));
    };
    rows[i] = _mm512_castsi128_si512(of_row(i));
    rows[i] = _mm512_inserti32x4(rows[i], of_row(i + 4), 1);
    rows[i] = _mm512_inserti32x4(rows[i], of_row(i + 8), 2);
    rows[i] = _mm512_inserti32x4(rows[i], of_row(i + 12), 3);
  }
  const __m512i low01 = _mm512_unpacklo_epi32(rows[0], rows[1]);
  const __m512i low23 = _mm512_unpacklo_epi32(rows[2], rows[3]);
  const __m512i high01 = _mm512_unpackhi_epi32(rows[0], rows[1]);
  const __m512i high23 = _mm512_unpackhi_epi32(rows[2], rows[3]);
  dwords[0] = _mm512_unpacklo_epi64(low01, low23);
  dwords[1] = _mm512_unpackhi_epi64(low01, low23);
  dwords[2] = _mm512_unpacklo_epi64(high01, high23);
  dwords[3] = _mm512_unpackhi_epi64(high01, high23);
}

SM_INLINE __m512i twice_256(const uint8_t* p) {
  return _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

/* Other counts of bits for the first and for the last eight dwords. */
SM_INLINE __m512i counts(int first, int last) {
  return _mm512_inserti64x4(_mm512_set1_epi32(first), _mm256_set1_epi32(last), 1);
}

/* The low nibbles of 32 bytes, then the high ones where they are. */
SM_INLINE __m512i both_nibbles(__m512i twice) {
  return _mm512_and_si512(twice, _mm512_inserti64x4(_mm512_set1_epi8(15),
                                                    _mm256_set1_epi8(static_cast<char>(0xf0)), 1));
}

SM_INLINE __m512i or_masked(__m512i a, __m512i b, int mask) {
  return _mm512_ternarylogic_epi32(a, b, _mm512_set1_epi8(static_cast<char>(mask)), 0xf8);
}

/* The F16 scales of eight blocks, which of_row(row) returns for each of 16 rows: those of block b,
 * as F32, go to scale[b]. */
template <class OfRow>
SM_INLINE void turn_scales(const OfRow& of_row, float (*scale)[kGroupRows]) {
  __m256i a[8];  // (rows i and i + 8, blocks), which are turned by halves
  unroll<8>([&](auto row) SM_LAMBDA {
    constexpr int i = decltype(row)::value;
    a[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(of_row(i)), of_row(i + 8), 1);
  });
  __m256i b[8];
  unroll<4>([&](auto pair) SM_LAMBDA {
    constexpr int i = decltype(pair)::value;
    b[i] = _mm256_unpacklo_epi16(a[2 * i], a[2 * i + 1]);
    b[i + 4] = _mm256_unpackhi_epi16(a[2 * i], a[2 * i + 1]);
  });
  unroll<2>([&](auto half) SM_LAMBDA {  // Blocks 0 to 3, blocks 4 to 7
    constexpr int h = decltype(half)::value;
    const __m256i low0 = _mm256_unpacklo_epi32(b[4 * h], b[4 * h + 1]);
    const __m256i low1 = _mm256_unpacklo_epi32(b[4 * h + 2], b[4 * h + 3]);
    const __m256i high0 = _mm256_unpackhi_epi32(b[4 * h], b[4 * h + 1]);
    const __m256i high1 = _mm256_unpackhi_epi32(b[4 * h + 2], b[4 * h + 3]);
    Avx512::store(scale[4 * h], _mm512_cvtph_ps(_mm256_unpacklo_epi64(low0, low1)));
    Avx512::store(scale[4 * h + 1], _mm512_cvtph_ps(_mm256_unpackhi_epi64(low0, low1)));
    Avx512::store(scale[4 * h + 2], _mm512_cvtph_ps(_mm256_unpacklo_epi64(high0, high1)));
    Avx512::store(scale[4 * h + 3], _mm512_cvtph_ps(_mm256_unpackhi_epi64(high0, high1)));
  });
}

template <>
struct StoredQuants<WideQ4_0> {
  static constexpr int kSixteenfold = 0b1010;

  /* Of two blocks of 18 bytes, which begin with d: 16 bytes twice each. */
  template <int kPiece>
  static SM_INLINE __m512i weights(const uint8_t* block) {
    // 64 bytes that don't go beyond the last block, behind which memory may be nobody's.
    constexpr int kFrom = kPiece < 3 ? 36 * kPiece : 8 * 18 - 64;
    const __m512i places =
        _mm512_add_epi16(_mm512_set1_epi16((36 * kPiece - kFrom) / 2),
                         _mm512_set_epi16(17, 16, 15, 14, 13, 12, 11, 10, 17, 16, 15, 14, 13, 12,
                                          11, 10, 8, 7, 6, 5, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1));
    const __m512i masks = _mm512_set_epi32(kHigh, kHigh, kHigh, kHigh, kLow, kLow, kLow, kLow,
                                           kHigh, kHigh, kHigh, kHigh, kLow, kLow, kLow, kLow);
    return _mm512_and_si512(_mm512_permutexvar_epi16(places, _mm512_loadu_si512(block + kFrom)),
                            masks);
  }

  static SM_INLINE void scales(const uint8_t* block, int64_t row_stride,
                               DecodedScales<WideQ4_0>& to) {
    const __m512i places = _mm512_zextsi128_si512(_mm_set_epi16(63, 54, 45, 36, 27, 18, 9, 0));
    const auto of_row = [&](int row) SM_LAMBDA {
      const uint8_t* from = block + row * row_stride;
      return _mm512_castsi512_si128(_mm512_permutex2var_epi16(_mm512_loadu_si512(from), places,
                                                              _mm512_loadu_si512(from + 64)));
    };
    turn_scales(of_row, to.scale);
  }

 private:
  static constexpr int kLow = 0x0f0f0f0f;
  static constexpr int kHigh = static_cast<int>(0xf0f0f0f0);
};

/* Eight blocks of Q8_0 at once, which are 256 columns. */
struct EightQ8_0 : Q8_0 {
  static constexpr int kBlocks = 8;
  static constexpr int kStoredBytes = kBlocks * Q8_0::kStoredBytes;
};

template <>
struct StoredQuants<EightQ8_0> {
  static constexpr int kSixteenfold = 0;

  /* Of two blocks of 34 bytes, which begin with d. */
  template <int kPiece>
  static SM_INLINE __m512i weights(const uint8_t* block) {
    const auto half = [&](int offset) SM_LAMBDA {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 68 * kPiece + offset));
    };
    return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(half(2)), half(36), 1),
                            _mm512_set1_epi8(static_cast<char>(0x80)));
  }

  static SM_INLINE void scales(const uint8_t* block, int64_t row_stride,
                               DecodedScales<EightQ8_0>& to) {
    // Words 17 i: of the first 128 bytes, then of the next.
    const __m512i places = _mm512_zextsi128_si512(_mm_set_epi16(55, 38, 21, 4, 51, 34, 17, 0));
    const auto of_row = [&](int row) SM_LAMBDA {
      const uint8_t* from = block + row * row_stride;
      const auto four = [&](const uint8_t* at) SM_LAMBDA {
        return _mm512_castsi512_si128(
            _mm512_permutex2var_epi16(_mm512_loadu_si512(at), places, _mm512_loadu_si512(at + 64)));
      };
      return _mm_blend_epi16(four(from), four(from + 128), 0xf0);
    };
    turn_scales(of_row, to.scale);
  }
};

template <>
struct StoredQuants<Q4_K> {
  static constexpr int kSixteenfold = 0b1100;

  template <int kPiece>
  static SM_INLINE __m512i weights(const uint8_t* block) {
    return both_nibbles(twice_256(block + 16 + 32 * kPiece));
  }

  static SM_INLINE void scales(const uint8_t* block, int64_t row_stride, DecodedScales<Q4_K>& to) {
    __m512i dwords[4];  // d and m, and the scales
    turn_dwords(block, row_stride, dwords);
    Q4_K::Record record;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(record.d), _mm512_cvtepi32_epi16(dwords[0]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(record.m),
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(dwords[0], 16)));
    for (int i = 0; i < 3; i++) {
      Avx512::store(record.scales[i], dwords[1 + i]);
    }
    Q4_K::scales<Avx512>(record, 0, to.scale, to.minimum);
  }
};

template <>
struct StoredQuants<Q6_K> {
  static constexpr int kSixteenfold = 0;

  template <int kPiece>
  static SM_INLINE __m512i weights(const uint8_t* block) {
    const __m512i low = _mm512_loadu_si512(block + 64 * (kPiece / 2));
    const __m512i high = twice_256(block + 128 + 32 * (kPiece / 2));
    if constexpr (kPiece % 2 == 0) {
      return or_masked(_mm512_and_si512(low, _mm512_set1_epi8(15)),
                       _mm512_sllv_epi32(high, counts(4, 2)), 0x30);
    } else {
      return or_masked(Avx512::shift_bytes_right<4>(low), _mm512_srlv_epi32(high, counts(0, 2)),
                       0x30);
    }
  }

  static SM_INLINE void scales(const uint8_t* block, int64_t row_stride, DecodedScales<Q6_K>& to) {
    __m128i halves[2] = {};
    unroll<kStoredAtOnce>([&](auto row) SM_LAMBDA {
      constexpr int i = decltype(row)::value;
      uint16_t d;
      memcpy(&d, block + i * row_stride + 208, sizeof(d));
      halves[i / 8] = _mm_insert_epi16(halves[i / 8], d, i % 8);
    });
    const __m512 d = _mm512_cvtph_ps(_mm256_set_m128i(halves[1], halves[0]));
    __m512i dwords[4];  // of the scales, which are signed bytes
    turn_dwords(block + 192, row_stride, dwords);
    unroll<16>([&](auto group) SM_LAMBDA {
      constexpr int g = decltype(group)::value;
      const __m512i scale =
          _mm512_srai_epi32(_mm512_slli_epi32(dwords[g / 4], 24 - 8 * (g % 4)), 24);
      Avx512::store(to.scale[g], _mm512_mul_ps(d, Avx512::to_float(scale)));
    });
  }
};

/* Sums lanes of 16 rows: of each 16 columns, with rows as lanes, to sums[0] to sums[3]. */
SM_INLINE void sum_columns(const __m512i (&rows)[16], __m512i (&sums)[4]) {
  __m512i fours[4];  // (16 columns, 4 rows)
  for (int i = 0; i < 4; i++) {
    __m512i pairs[2];
    for (int j = 0; j < 2; j++) {
      const __m512i a = rows[4 * i + 2 * j];
      const __m512i b = rows[4 * i + 2 * j + 1];
      pairs[j] = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    }
    fours[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(pairs[0], pairs[1]),
                                _mm512_unpackhi_epi64(pairs[0], pairs[1]));
  }
  const __m512i a = _mm512_shuffle_i32x4(fours[0], fours[1], 0x44);
  const __m512i b = _mm512_shuffle_i32x4(fours[2], fours[3], 0x44);
  const __m512i c = _mm512_shuffle_i32x4(fours[0], fours[1], 0xee);
  const __m512i d = _mm512_shuffle_i32x4(fours[2], fours[3], 0xee);
  sums[0] = _mm512_shuffle_i32x4(a, b, 0x88);
  sums[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
  sums[2] = _mm512_shuffle_i32x4(c, d, 0x88);
  sums[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}

template <class Format>
struct OneByStoredAvx512 {
  static constexpr bool kExists = true;
  static constexpr int kRows = kStoredAtOnce;
  static constexpr int64_t kBlockColumns = Format::kBlocks * kActivationBlock;
  static_assert(kBlockColumns == 256, "four pieces of 64 columns");

  static int64_t matmul(const uint8_t* w, int64_t row_stride, const Range& range) {
    alignas(64) uint32_t side[kSideBytes / 4];
    const int64_t blocks = range.columns / kActivationBlock;
    // Rows of Q8_0 may end in fewer than eight blocks.
    if (range.columns % kBlockColumns != 0 || blocks * kSide < Format >> kSideBytes / 4) {
      return range.w_begin;
    }
    fill_side<Avx512, Format, 0>(range.xq, range.columns, 1, 0, blocks, side);
    int64_t row = range.w_begin;
    for (; row + kRows <= range.w_end; row += kRows) {
      const uint8_t* block = w + row * row_stride;
      const bool last = row + 2 * kRows > range.w_end;
      // Behind the last ones nothing is asked for, but these, which the cache has.
      const uint8_t* next = last ? block : block + kRows * row_stride;
      Avx512::store(range.y + row, rows(block, row_stride, range, side, next));
    }
    return row;
  }

 private:
  /* 16 rows. Meanwhile as many bytes are asked for from `next` on, in the order of memory. */
  static __m512 rows(const uint8_t* block, int64_t row_stride, const Range& range,
                     const uint32_t* side, const uint8_t* next) {
    for (int64_t page = 0; page < kRows * row_stride; page += 4096) {
      __builtin_prefetch(next + page, 0, 2);
    }
    const int64_t records = range.columns / kBlockColumns;
    const uint8_t* x = range.xq;
    __m512 y = _mm512_setzero_ps();
    for (int64_t r = 0; r < records; r++) {
      DecodedScales<Format> scales;
      StoredQuants<Format>::scales(block, row_stride, scales);
      unroll<4>([&](auto piece) SM_LAMBDA {
        constexpr int p = decltype(piece)::value;
        y = piece_of_rows<p>(block, row_stride, x + 64 * p, scales, side + 2 * p * kSide<Format>,
                             next, y);
      });
      block += Format::kStoredBytes;
      next += kRows * Format::kStoredBytes;
      x += kBlockColumns;
      side += Format::kBlocks * kSide<Format>;
    }
    return y;
  }

  template <int kPiece>
  static SM_INLINE __m512 piece_of_rows(const uint8_t* block, int64_t row_stride, const uint8_t* x,
                                        const DecodedScales<Format>& scales, const uint32_t* side,
                                        const uint8_t* next, __m512 y) {
    constexpr int kLines = (kRows * Format::kStoredBytes + 63) / 64;
    constexpr int kParts = 4 * kRows;
    const __m512i xs = _mm512_loadu_si512(x);
    __m512i dots[kRows];
    unroll<kRows>([&](auto row) SM_LAMBDA {
      constexpr int i = decltype(row)::value;
      constexpr int kPart = kPiece * kRows + i;
      constexpr int kBegin = kLines * kPart / kParts;
      constexpr int kEnd = kLines * (kPart + 1) / kParts;
      __m512i weights = StoredQuants<Format>::template weights<kPiece>(block + i * row_stride);
      unroll<kEnd, kBegin>([&](auto line)
                               SM_LAMBDA { request_behind<2>(weights, next + 64 * line); });
      dots[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), weights, xs);
    });
    __m512i sums[4];
    sum_columns(dots, sums);
    unroll<4>([&](auto sum) SM_LAMBDA {
      constexpr int i = decltype(sum)::value;
      if constexpr ((StoredQuants<Format>::kSixteenfold >> i & 1) != 0) {
        sums[i] = _mm512_srai_epi32(sums[i], 4);
      }
    });
    unroll<2>([&](auto half) SM_LAMBDA {
      constexpr int h = decltype(half)::value;
      const uint32_t* s = side + h * kSide<Format>;
      const int scale = (2 * kPiece + h) * Format::kScales;
      const auto product = [&](__m512i sum, int part) SM_LAMBDA {
        return Avx512::to_float(
            Format::kMinimums ? sum : _mm512_add_epi32(sum, Avx512::splat(s[1 + part])));
      };
      __m512 scaled;
      if constexpr (Format::kScales == 2) {
        scaled = _mm512_mul_ps(product(sums[2 * h], 0), Avx512::load(scales.scale[scale]));
        scaled = _mm512_fmadd_ps(product(sums[2 * h + 1], 1), Avx512::load(scales.scale[scale + 1]),
                                 scaled);
      } else {
        scaled = _mm512_mul_ps(product(_mm512_add_epi32(sums[2 * h], sums[2 * h + 1]), 0),
                               Avx512::load(scales.scale[scale]));
      }
      y = _mm512_fmadd_ps(scaled, splat_at<Avx512>(s), y);
      if constexpr (Format::kMinimums) {
        y = _mm512_fmadd_ps(Avx512::load(scales.minimum[scale]), splat_at<Avx512>(s + 1), y);
      }
    });
    return y;
  }
};

template <>
struct OneByStored<Avx512, WideQ4_0> : OneByStoredAvx512<WideQ4_0> {};
template <>
struct OneByStored<Avx512, Q8_0> : OneByStoredAvx512<EightQ8_0> {};
template <>
struct OneByStored<Avx512, Q4_K> : OneByStoredAvx512<Q4_K> {};
template <>
struct OneByStored<Avx512, Q6_K> : OneByStoredAvx512<Q6_K> {};

}  // namespace

#endif
