/*
 * Matmul in Advanced SIMD with the matrix product of Armv8.6, which multiplies 2 x 8 bytes by 8 x
 * 2: here a pair of tokens by a pair of rows.
 *
 * It serves quantized weights and several tokens; all else is left to the dot product. A group of
 * rows is decoded into a panel on the stack, a range of columns at a time, and tiles of tokens read
 * that. Integers are exact, and each result is the chain of floats described in tile.h: the same
 * bits as by the dot product.
 */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/same_packing.h"
#include "matmul/simd_neon.h"

namespace {

using S = NeonDotprod;

/* From how many tokens on a panel pays: where it takes a quarter fewer instructions. */
template <class Format>
constexpr int64_t kPairTokens = Format::kDirectTiles ? 6 : 2;

/* Blocks of a panel. With the tokens of a tile it takes half of L1. */
constexpr int64_t kBlocks = 16;

/* Products to a block, of 8 columns each. */
constexpr int kSteps = 4;

/* A tile in pairs: 32 registers hold 8 results of 2 x 2, each with an integer sum, a float sum and,
 * of weights with two scales, the first scale's product. */
constexpr int kTilePairs = 2;
constexpr int kTileRows = 4;

/* All that tiles know of a format. */
template <int kScalesOfBlock, bool kWithMinimums>
struct Pairs {
  static constexpr int kScales = kScalesOfBlock;
  static constexpr int kMinimums = kWithMinimums ? kScales : 0;

  /* A block of two tokens. Factors: d, and d * sum for each minimum, twice for the first token and
   * twice for the second. */
  struct Tokens {
    int8_t q[kSteps][2][8];
    float factors[1 + kMinimums][4];
  };

  /* A block of 32 rows: weights less their offset, scales, minimums. */
  struct Rows {
    alignas(64) int8_t q[kSteps][kGroupRows / 2][2][8];
    float scales[kScales + kMinimums][kGroupRows];
  };
};

SM_INLINE void copy(const float* from, int64_t from_stride, float* to, int64_t to_stride,
                    int64_t tokens, int64_t rows) {
  for (int64_t t = 0; t < tokens; t++) {
    memcpy(to + t * to_stride, from + t * from_stride, static_cast<size_t>(rows) * sizeof(float));
  }
}

/* Two numbers, twice. */
SM_INLINE float32x4_t load_twice(const float* p) {
  const float32x2_t two = vld1_f32(p);
  return vcombine_f32(two, two);
}

/* Up to 2 * kPairs tokens by up to 2 * kTileRows rows from a lane on. x: (pairs, blocks), pairs
 * x_stride apart. */
template <class P, int kPairs>
__attribute__((noinline)) void tile_of_pairs(const typename P::Rows* rows, int lane,
                                             const typename P::Tokens* x, int64_t x_stride,
                                             int64_t blocks, int64_t tokens, TileResults out) {
  constexpr int kScales = P::kScales;
  // A tile across the edge of the results is computed as a whole, aside.
  float whole[2 * kPairs][2 * kTileRows];
  const bool edge = tokens < 2 * kPairs || out.rows < 2 * kTileRows;
  const int64_t stride = edge ? 2 * kTileRows : out.stride;
  float* y = edge ? whole[0] : out.y;
  if (edge) {
    tokens = smaller(tokens, 2 * kPairs);
    out.rows = smaller(out.rows, 2 * kTileRows);
    memset(whole, 0, sizeof(whole));
    copy(out.y, out.stride, y, stride, out.add ? tokens : 0, out.rows);
  }

  float32x4_t sums[kPairs][kTileRows];
  unroll<kPairs>([&](auto t) SM_LAMBDA {
    unroll<kTileRows>([&](auto r) SM_LAMBDA {
      const float* to = y + 2 * t * stride + 2 * r;
      sums[t][r] = out.add ? vcombine_f32(vld1_f32(to), vld1_f32(to + stride)) : S::zero_float();
    });
  });

  for (int64_t b = 0; b < blocks; b++, rows++, x++) {
    float32x4_t products[kPairs][kTileRows];
    unroll<kScales>([&](auto scale) SM_LAMBDA {
      constexpr int p = decltype(scale)::value;
      int32x4_t dots[kPairs][kTileRows];
      unroll<kSteps / kScales>([&](auto step) SM_LAMBDA {
        constexpr int s = decltype(step)::value + p * (kSteps / kScales);
        int8x16_t weights[kTileRows];
        unroll<kTileRows>([&](auto r)
                              SM_LAMBDA { weights[r] = vld1q_s8(rows->q[s][lane / 2 + r][0]); });
        unroll<kPairs>([&](auto t) SM_LAMBDA {
          const int8x16_t q = vld1q_s8(x[t * x_stride].q[s][0]);
          unroll<kTileRows>([&](auto r) SM_LAMBDA {
            dots[t][r] = vmmlaq_s32(step == 0 ? vdupq_n_s32(0) : dots[t][r], q, weights[r]);
          });
        });
      });
      unroll<kTileRows>([&](auto r) SM_LAMBDA {
        const float32x4_t factor = load_twice(&rows->scales[p][lane + 2 * r]);
        unroll<kPairs>([&](auto t) SM_LAMBDA {
          const float32x4_t dot = vcvtq_f32_s32(dots[t][r]);
          products[t][r] = p == 0 ? S::mul(dot, factor) : S::mul_add(dot, factor, products[t][r]);
        });
      });
    });
    unroll<kPairs>([&](auto t) SM_LAMBDA {
      const float32x4_t d = vld1q_f32(x[t * x_stride].factors[0]);
      unroll<kTileRows>([&](auto r)
                            SM_LAMBDA { sums[t][r] = S::mul_add(products[t][r], d, sums[t][r]); });
    });
    unroll<P::kMinimums>([&](auto p) SM_LAMBDA {
      unroll<kTileRows>([&](auto r) SM_LAMBDA {
        const float32x4_t minimum = load_twice(&rows->scales[kScales + p][lane + 2 * r]);
        unroll<kPairs>([&](auto t) SM_LAMBDA {
          sums[t][r] = S::mul_add(minimum, vld1q_f32(x[t * x_stride].factors[1 + p]), sums[t][r]);
        });
      });
    });
  }

  unroll<kPairs>([&](auto t) SM_LAMBDA {
    unroll<kTileRows>([&](auto r) SM_LAMBDA {
      float* to = y + 2 * t * stride + 2 * r;
      vst1_f32(to, vget_low_f32(sums[t][r]));
      vst1_f32(to + stride, vget_high_f32(sums[t][r]));
    });
  });
  if (edge) {
    copy(y, stride, out.y, out.stride, tokens, out.rows);
  }
}

/* Fills blocks of pairs of tokens, (pairs, blocks). An odd last token is a pair with itself. */
template <class P>
void pair_tokens(const Range& range, int64_t first_token, int64_t tokens, int64_t first_block,
                 int64_t blocks, typename P::Tokens* to) {
  const int64_t row_bytes = activation_row_bytes(range.columns);
  for (int64_t token = 0; token < tokens; token += 2, to += blocks) {
    for (int i = 0; i < 2; i++) {
      const uint8_t* row = range.xq + (first_token + smaller(token + i, tokens - 1)) * row_bytes;
      const uint8_t* q = row + kActivationBlock * first_block;
      const uint8_t* scales = row + activation_scales_offset(range.columns) + 4 * first_block;
      const uint8_t* sums = row + activation_sums_offset(range.columns) + 4 * first_block;
      for (int64_t b = 0; b < blocks; b++) {
        for (int s = 0; s < kSteps; s++) {
          memcpy(to[b].q[s][i], q + kActivationBlock * b + 8 * s, 8);
        }
        float d;
        int16_t halves[2];
        memcpy(&d, scales + 4 * b, sizeof(d));
        memcpy(halves, sums + 4 * b, sizeof(halves));
        to[b].factors[0][2 * i] = to[b].factors[0][2 * i + 1] = d;
        for (int p = 0; p < P::kMinimums; p++) {
          const int32_t sum = P::kScales == 2 ? halves[p] : halves[0] + halves[1];
          const float scaled = d * static_cast<float>(sum);
          to[b].factors[1 + p][2 * i] = to[b].factors[1 + p][2 * i + 1] = scaled;
        }
      }
    }
  }
}

template <class Format, class P>
void decode(const typename Format::Record* packed, int64_t records, typename P::Rows* panel) {
  using Factors = BlockFactors<typename P::Rows, P::kScales>;
  const uint8x16_t offset = vdupq_n_u8(Format::kOffset);
  static_assert(Format::kMaxWeight - Format::kOffset <= 127 && Format::kOffset <= 128,
                "weights less their offset are signed bytes");
  for (int64_t r = 0; r < records; r++, packed++, panel += Format::kBlocks) {
    for (int lane = 0; lane < kGroupRows; lane += S::kLanes) {
      Format::template scales<S>(*packed, lane, Factors{panel, 0}, Factors{panel, P::kScales});
      for (int block = 0; block < Format::kBlocks; block++) {
        unroll<kSteps>([&](auto step) SM_LAMBDA {
          constexpr int s = decltype(step)::value;
          const uint32x4_t even = Format::template weight<S, 2 * s>(*packed, block, lane);
          const uint32x4_t odd = Format::template weight<S, 2 * s + 1>(*packed, block, lane);
          int8_t* to = panel[block].q[s][lane / 2][0];
          const auto put = [&](uint32x4_t rows, int8_t* pair) SM_LAMBDA {
            vst1q_s8(pair, vreinterpretq_s8_u8(vsubq_u8(vreinterpretq_u8_u32(rows), offset)));
          };
          put(vzip1q_u32(even, odd), to);
          put(vzip2q_u32(even, odd), to + 16);
        });
      }
    }
  }
}

/* A group of rows, from its decoded panel, for tokens from range.xq on. */
template <class P>
void tiles_of_pairs(const Range& range, int64_t first_token, int64_t tokens, int64_t row,
                    const typename P::Rows* panel, const typename P::Tokens* x, int64_t blocks,
                    bool add, const uint8_t* next, int64_t next_bytes) {
  const int64_t tiles = (tokens + 2 * kTilePairs - 1) / (2 * kTilePairs);
  const int64_t share = (next_bytes / tiles + 63) / 64 * 64;
  for (int64_t t = 0; t < tokens; t += 2 * kTilePairs) {
    // The next panel's packed form comes from memory meanwhile, into L2.
    for (int64_t line = 0; line < share; line += 64) {
      __builtin_prefetch(next + line, 0, 2);
    }
    next += share;
    const int64_t left = tokens - t;
    TileResults out;
    out.y = range.y + (first_token + t) * range.y_stride + row;
    out.stride = range.y_stride;
    out.rows = range.w_end - row;
    out.add = add;
    for (int lane = 0; lane < kGroupRows && out.rows > 0; lane += 2 * kTileRows) {
      if (left > 2) {
        tile_of_pairs<P, 2>(panel, lane, x + t / 2 * blocks, blocks, blocks, left, out);
      } else {
        tile_of_pairs<P, 1>(panel, lane, x + t / 2 * blocks, blocks, blocks, left, out);
      }
      out.y += 2 * kTileRows;
      out.rows -= 2 * kTileRows;
    }
  }
}

template <class Format>
void matmul_pairs(Source<Format>& w, const Range& range) {
  using P = Pairs<Format::kScales, Format::kMinimums>;
  constexpr int64_t kTileTokens = 2 * kTilePairs;
  constexpr int64_t kTokens = 2 * kSideBytes /
                              (kBlocks * static_cast<int64_t>(sizeof(typename P::Tokens))) /
                              kTileTokens * kTileTokens;
  constexpr int64_t kRecords = kBlocks / Format::kBlocks;
  static_assert(kRecords <= Source<Format>::kRecords, "packed at once");
  alignas(64) typename P::Tokens x[kTokens / 2 * kBlocks];
  typename P::Rows panel[kBlocks];
  for (int64_t token = 0; token < range.tokens; token += kTokens) {
    const int64_t tokens = smaller(kTokens, range.tokens - token);
    for (int64_t record = 0; record < w.records(); record += kRecords) {
      const int64_t count = smaller(kRecords, w.records() - record);
      const int64_t blocks = count * Format::kBlocks;
      pair_tokens<P>(range, token, tokens, record * Format::kBlocks, blocks, x);
      for (int64_t row = range.w_begin; row < range.w_end; row += kGroupRows) {
        const uint8_t* next = nullptr;
        int64_t next_bytes = 0;  // Stored weights are asked for as they are packed.
        if (w.is_packed()) {
          decode<Format, P>(w.packed(row, record), count, panel);
          next = reinterpret_cast<const uint8_t*>(w.packed(row + kGroupRows, record));
          next_bytes = count * static_cast<int64_t>(sizeof(typename Format::Record));
        } else {
          decode<Format, P>(w.pack(row, record, count), count, panel);
        }
        tiles_of_pairs<P>(range, token, tokens, row, panel, x, blocks, record > 0, next,
                          next_bytes);
      }
    }
  }
}

void matmul(int32_t type, const float* x, int64_t x_stride, const uint8_t* xq, int64_t x_begin,
            int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows, int64_t columns,
            int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
  const Range range = range_of(xq, x_begin, x_end, columns, w_begin, w_end, y, y_stride);
  bool done = false;
  with_format(type, columns, [&](auto tag) {
    using Format = typename decltype(tag)::Type;
    if (range.tokens >= kPairTokens<Format> && w_begin < w_end) {
      Source<Format> source(w, w_stride, columns, w_end);
      matmul_pairs<Format>(source, range);
      done = true;
    }
  });
  if (!done) {
    kMatmulNeonDotprod.matmul(type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows, columns,
                              w_begin, w_end, y, y_stride);
  }
}

}  // namespace

const MatmulTable kMatmulNeonI8mm = SamePacking<kMatmulNeonDotprod>::table(matmul);
