/*
 * Matmul in AVX-512 with AMX-INT8, whose tile product multiplies 16 tokens by 16 rows, up to 64
 * columns of each.
 *
 * A scale ends a sum, so a product takes the 16 or 32 columns of one scale, and vectors do with its
 * sums what tile.h specifies: each result is the same chain of floats, and has the same bits. On
 * the processor measured, a product and the storing of its sums take 36 cycles, and meanwhile
 * vectors are multiplied at half their speed: 32 to 48 cycles for a block with one scale. The two
 * overlap in part.
 *
 * A group of rows is decoded into a panel on the stack, a range of columns at a time, and all
 * tokens are multiplied by that. Few tokens, and float weights, are left to AVX-512.
 */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/same_packing.h"
#include "matmul/simd_avx512.h"
#include "matmul/tiles.h"

namespace {

using S = Avx512;
using F = S::F;

/* From how many tokens on tiles pay. */
template <class Format>
constexpr int64_t kAmxTokens = Format::kScales == 2 ? 128 : 32;

/* Blocks of a panel: with one scale to a block, the panel and the activations of two tiles stay in
 * an L1 of 48 KiB. */
constexpr int kBlocks = 16;
constexpr int kColumns = kBlocks * kActivationBlock;

/* Tiles of tokens that a panel is decoded for. */
constexpr int64_t kTiles = 8;

/* Blocks whose products are under way while the sums of one are scaled. */
constexpr uint64_t kLag = 3;

/* What scales the sums of 16 tokens in a block: their d and, for each minimum, d * sum. */
template <class Format>
struct alignas(64) TokenScales {
  float d[kTileTokens];
  float sums[Format::kMinimums ? Format::kScales : 1][kTileTokens];
};

/* The activations of some columns in tiles of 16 tokens; what is missing in the last is zero. */
template <class Format>
struct TiledTokens {
  TokenBlock q[kTiles][kBlocks];
  TokenScales<Format> scales[kTiles][kBlocks];
};

/* Adds what a block contributes to the results; sums(part) are those of the columns of a scale. */
template <class Format, class SumsOf>
SM_INLINE void add_block(const typename Panel<Format>::Record& w, int64_t lane,
                         const TokenScales<Format>& x, const SumsOf& sums, F (&y)[kTileTokens]) {
  const F scale = S::load(&w.scales[0][lane]);
  const S::Factor factor = S::factor(scale);
  unroll<kTileTokens>([&](auto token) SM_LAMBDA {
    constexpr int t = decltype(token)::value;
    const auto sum = [&](int part) SM_LAMBDA {
      const __m512i loaded = _mm512_load_si512(sums(part).of[t]);
      return part == 0 && kSumStart<S, Format> != 0 ? S::add(loaded, S::splat(kSumStart<S, Format>))
                                                    : loaded;
    };
    F product =
        kHugeScales<Format> ? S::mul(S::to_float(sum(0)), scale) : S::scaled(sum(0), factor);
    if constexpr (Format::kScales == 2) {
      product = S::mul_add(S::to_float(sum(1)), S::load(&w.scales[1][lane]), product);
    }
    y[t] = S::mul_add(product, S::splat_float(x.d[t]), y[t]);
    if constexpr (Format::kMinimums) {
      unroll<Format::kScales>([&](auto part) SM_LAMBDA {
        constexpr int p = decltype(part)::value;
        y[t] = S::mul_add(S::load(&w.scales[Format::kScales + p][lane]),
                          S::splat_float(x.sums[p][t]), y[t]);
      });
    }
  });
}

/* All tokens by a panel. next: the packed weights of the next one, of which each tile asks for a
 * share. */
template <class Format>
__attribute__((noinline)) void tiles_of_panel(const TiledTokens<Format>& x, int64_t all_tokens,
                                              const typename Panel<Format>::Record* panel,
                                              int64_t blocks, TileResults out, const uint8_t* next,
                                              int64_t next_bytes) {
  constexpr uint64_t kScales = Format::kScales;
  constexpr uint64_t kSlots = (kLag + 1) * kScales;
  const int64_t tiles = (all_tokens + kTileTokens - 1) / kTileTokens;
  const int64_t share = (next_bytes / tiles + 63) / 64 * 64;
  const int64_t last_lane = out.rows > S::kLanes ? S::kLanes : 0;
  Sums sums[kSlots];

  // Products go through the tiles, for each through the lower and the upper rows, and for those
  // through the blocks; at the end they go on with the last tile, to no use.
  uint64_t started = 0;
  int64_t next_tile = 0;
  int64_t next_left = blocks;
  int64_t next_lane = 0;
  const TokenBlock* next_tokens = x.q[0];
  const typename Panel<Format>::Record* next_weights = panel;
  const auto start_block = [&]() SM_LAMBDA {
    unroll<Format::kScales>([&](auto part) SM_LAMBDA {
      constexpr int p = decltype(part)::value;
      start_product<Format::kScales, p>(*next_tokens, next_weights->q, next_lane,
                                        sums[(started + p + kSlots - 1) % kSlots]);
    });
    started += kScales;
    next_tokens++;
    next_weights++;
    if (--next_left == 0) {
      next_left = blocks;
      next_lane = next_lane == last_lane ? 0 : S::kLanes;
      if (next_lane == 0 && next_tile + 1 < tiles) {
        next_tile++;
      }
      next_tokens = x.q[next_tile];
      next_weights = panel;
    }
  };

  for (uint64_t i = 0; i < kLag; i++) {
    start_block();
  }
  for (int64_t tile = 0; tile < tiles; tile++) {
    for (int64_t line = 0; line < share; line += 64) {
      __builtin_prefetch(next + line, 0, 2);
    }
    next += share;
    const int64_t tokens = all_tokens - tile * kTileTokens;
    for (int64_t lane = 0; lane <= last_lane; lane += S::kLanes) {
      const int rows = static_cast<int>(smaller(S::kLanes, out.rows - lane));
      const bool whole = tokens >= kTileTokens && rows == S::kLanes;
      float* to = out.y + lane;
      F y[kTileTokens];  // Indexed by constants only, or it would lie in memory.
      if (!out.add) {
        unroll<kTileTokens>([&](auto t) SM_LAMBDA { y[t] = S::zero_float(); });
      } else if (whole) {
        unroll<kTileTokens>([&](auto t) SM_LAMBDA { y[t] = S::load(to + t * out.stride); });
      } else {
        unroll<kTileTokens>([&](auto t) SM_LAMBDA {
          y[t] = t < tokens ? S::load(to + t * out.stride, rows) : S::zero_float();
        });
      }
      for (int64_t block = 0; block < blocks; block++) {
        start_block();
        const auto sums_of = [&](int part) SM_LAMBDA -> const Sums& {
          const Sums* of = &sums[(started + static_cast<uint64_t>(part)) % kSlots];
          // In a register of its own: each use would add up its address, an operation more.
          __asm__("" : "+r"(of));
          return *of;
        };
        add_block<Format>(panel[block], lane, x.scales[tile][block], sums_of, y);
      }
      if (whole) {
        unroll<kTileTokens>([&](auto t) SM_LAMBDA { S::store(to + t * out.stride, y[t]); });
      } else {
        unroll<kTileTokens>([&](auto t) SM_LAMBDA {
          if (t < tokens) {
            S::store(to + t * out.stride, y[t], rows);
          }
        });
      }
    }
    out.y += kTileTokens * out.stride;
    touch_results<2>(out.y, out.stride, smaller(tokens - kTileTokens, kTileTokens));
  }
}

/* Brings blocks of a row of activations into a place of their tile. */
template <class Format>
SM_INLINE void put_block(const uint8_t* q, float d, const int16_t* sums, int64_t at,
                         TokenBlock& block, TokenScales<Format>& scales) {
  memcpy(block.q[at], q, kActivationBlock);
  scales.d[at] = d;
  if constexpr (Format::kMinimums && Format::kScales == 1) {
    scales.sums[0][at] = d * static_cast<float>(sums[0] + sums[1]);
  } else if constexpr (Format::kMinimums) {
    scales.sums[0][at] = d * static_cast<float>(sums[0]);
    scales.sums[1][at] = d * static_cast<float>(sums[1]);
  }
}

/* Brings some blocks of some tokens, whose first row of activations is xq, into tiles. */
template <class Format>
void gather(const uint8_t* xq, int64_t columns, int64_t tokens, int64_t first_block, int64_t blocks,
            TiledTokens<Format>& to) {
  constexpr int64_t kAhead = 4;  // rows, of which each lies elsewhere
  static constexpr uint8_t kZeros[kColumns] = {};
  const int64_t row_bytes = activation_row_bytes(columns);
  const int64_t scales_at = activation_scales_offset(columns) + 4 * first_block;
  const int64_t sums_at = activation_sums_offset(columns) + 4 * first_block;
  for (int64_t t = 0; t < round_up(tokens, kTileTokens); t++, xq += row_bytes) {
    const uint8_t* q = kZeros;
    float d[kBlocks] = {};
    int16_t sums[kBlocks][2] = {};
    if (t < tokens) {
      q = xq + first_block * kActivationBlock;
      static_assert(sizeof(d) == 64 && sizeof(sums) == 64, "these are padded to 64 bytes");
      memcpy(d, xq + scales_at, sizeof(d));
      memcpy(sums, xq + sums_at, sizeof(sums));
      for (int64_t line = 0; line < kColumns; line += 64) {
        __builtin_prefetch(q + kAhead * row_bytes + line);
      }
      __builtin_prefetch(xq + kAhead * row_bytes + scales_at);
      __builtin_prefetch(xq + kAhead * row_bytes + sums_at);
    }
    TokenBlock* block = to.q[t / kTileTokens];
    TokenScales<Format>* scales = to.scales[t / kTileTokens];
    const int64_t at = t % kTileTokens;
    if (blocks == kBlocks) {
      unroll<kBlocks>([&](auto b) SM_LAMBDA {
        put_block(q + b * kActivationBlock, d[b], sums[b], at, block[b], scales[b]);
      });
    } else {
      for (int64_t b = 0; b < blocks; b++) {
        put_block(q + b * kActivationBlock, d[b], sums[b], at, block[b], scales[b]);
      }
    }
  }
}

/* A step that goes through `all` in as few steps as `most` would, about alike. */
int64_t even_step(int64_t all, int64_t most) {
  const int64_t steps = (all + most - 1) / most;
  return (all + steps - 1) / steps;
}

template <class Format>
void matmul_tiles(Source<Format>& w, const Range& range) {
  using P = Panel<DecodedFormatOf<S, Format>>;
  TiledTokens<DecodedFormatOf<S, Format>> x;
  typename P::Record panel[kBlocks];
  static_assert(
      sizeof(x) + sizeof(panel) + sizeof(w) + (kLag + 1) * Format::kScales * sizeof(Sums) <=
          128 * 1024,
      "scratch of a thread");
  shape_tiles(kActivationBlock / Format::kScales);
  const int64_t tiles = (range.tokens + kTileTokens - 1) / kTileTokens;
  const int64_t token_step = even_step(tiles, kTiles) * kTileTokens;
  const int64_t record_step = even_step(w.records(), kBlocks / Format::kBlocks);
  for (int64_t token = 0; token < range.tokens; token += token_step) {
    const int64_t tokens = smaller(token_step, range.tokens - token);
    for (int64_t record = 0; record < w.records(); record += record_step) {
      const int64_t count = smaller(record_step, w.records() - record);
      const int64_t blocks = count * Format::kBlocks;
      gather(range.xq + token * activation_row_bytes(range.columns), range.columns, tokens,
             record * Format::kBlocks, blocks, x);
      for (int64_t row = range.w_begin; row < range.w_end; row += kGroupRows) {
        const uint8_t* next = nullptr;
        int64_t next_bytes = 0;  // Stored weights are asked for as they are packed.
        if (w.is_packed()) {
          P::template decode<S, Format, true>(w.packed(row, record), count, panel);
          next = reinterpret_cast<const uint8_t*>(w.packed(row + kGroupRows, record));
          next_bytes = count * static_cast<int64_t>(sizeof(typename Format::Record));
        } else {
          for (int64_t r = 0; r < count; r += w.kRecords) {
            const int64_t part = smaller(w.kRecords, count - r);
            P::template decode<S, Format, true>(w.pack(row, record + r, part), part,
                                                panel + r * Format::kBlocks);
          }
        }
        TileResults out;
        out.y = range.y + token * range.y_stride + row;
        out.stride = range.y_stride;
        out.rows = range.w_end - row;
        out.add = record > 0;
        tiles_of_panel(x, tokens, panel, blocks, out, next, next_bytes);
      }
    }
  }
  release_tiles();
}

void matmul(int32_t type, const float* x, int64_t x_stride, const uint8_t* xq, int64_t x_begin,
            int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows, int64_t columns,
            int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
  const Range range = range_of(xq, x_begin, x_end, columns, w_begin, w_end, y, y_stride);
  bool done = false;
  with_format(type, columns, [&](auto tag) {
    using Format = typename decltype(tag)::Type;
    if (range.tokens >= kAmxTokens<Format> && w_begin < w_end && columns > 0) {
      Source<Format> source(w, w_stride, columns, w_end);
      matmul_tiles<Format>(source, range);
      done = true;
    }
  });
  if (!done) {
    kMatmulAvx512Bf16.matmul(type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows, columns,
                             w_begin, w_end, y, y_stride);
  }
}

}  // namespace

const MatmulTable kMatmulAvx512Amx = SamePacking<kMatmulAvx512Bf16>::table(matmul);
