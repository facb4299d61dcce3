/*
 * The loops around the micro-kernel, for weights in packed records.
 *
 * Few tokens: every tile reads the packed records, the first from memory, the others from the
 * cache. Many tokens: a group of rows is decoded into a panel on the stack, a range of columns at a
 * time, and all tiles read that.
 */
#ifndef SMALLMIND_MATMUL_QUANTIZED_H
#define SMALLMIND_MATMUL_QUANTIZED_H

#include "matmul/tile.h"
#include "matmul/weights.h"

namespace {

/* From how many tokens on a panel pays. Formats less in use have tiles over packed records for one
 * token only, which is what keeps the library small and quick to compile. */
template <class Format>
constexpr int64_t kPanelTokens = Format::kDirectTiles ? 20 : 2;

/* Columns of a panel: with its scales it takes most of L1, and at most 52 KiB. */
constexpr int64_t kPanelColumns = 1024;

/* Columns that several tiles over packed records take at once: those and the next, which they ask
 * memory for meanwhile, stay in L1. */
constexpr int64_t kDirectColumns = 512;

/* How far ahead of its loads a single tile asks memory for packed weights, in bytes: as measured.
 * Where L2 is asked further ahead, L1 has less to wait for. */
template <class Format>
constexpr int64_t kPrefetchBytes = Direct<Format>::kPrefetchFurther > 0 ? 1024 : 4096;

/* Fills the sides of the tile of `tokens` tokens whose first row of activations is xq, for `blocks`
 * blocks from first_block on. */
template <class S, class Format>
void fill_side(const uint8_t* xq, int64_t columns, int tokens, int64_t first_block, int64_t blocks,
               uint32_t* side) {
  constexpr int kOffset = S::carried_offset(Format::kOffset, Format::kMaxWeight);
  const int64_t row_bytes = activation_row_bytes(columns);
  for (int t = 0; t < tokens; t++) {
    const uint8_t* row = xq + t * row_bytes;
    const uint8_t* scales = row + activation_scales_offset(columns) + 4 * first_block;
    const uint8_t* sums = row + activation_sums_offset(columns) + 4 * first_block;
    uint32_t* to = side + t * kSide<Format>;
    for (int64_t b = 0; b < blocks; b++, to += tokens * kSide<Format>) {
      float d;
      int16_t pair[2];
      memcpy(&d, scales + 4 * b, sizeof(d));
      memcpy(pair, sums + 4 * b, sizeof(pair));
      memcpy(to, &d, sizeof(d));
      for (int p = 0; p < Format::kScales; p++) {
        int32_t sum = Format::kScales == 2 ? pair[p] : pair[0] + pair[1];
        if (Format::kMinimums) {
          float scaled = d * static_cast<float>(sum);
          memcpy(to + 1 + p, &scaled, sizeof(scaled));
        } else {
          int32_t bias = -kOffset * sum;
          memcpy(to + 1 + p, &bias, sizeof(bias));
        }
      }
    }
  }
}

template <class S, class Weights>
constexpr int kTokensOfTile = Weights::template tile_tokens<S>();

/* The tokens of the next of the tiles that share `left` tokens evenly. */
template <class S, class Weights>
int tile_tokens(int64_t left) {
  constexpr int64_t kMost = kTokensOfTile<S, Weights>;
  int64_t tiles = (left + kMost - 1) / kMost;
  return static_cast<int>((left + tiles - 1) / tiles);
}

/* All 32 rows of a group for one tile of tokens. */
template <class S, class Weights, int kTokens>
void tile_of_group(const TileWeights<Weights>& w, TileActivations x, TileResults out) {
  constexpr int kVectors = S::vectors(kTokens);
  for (int lane = 0; lane < kGroupRows && out.rows > 0; lane += kVectors * S::kLanes) {
    tile<S, Weights, kTokens, kVectors>(w, lane, x, out);
    out.y += kVectors * S::kLanes;
    out.rows -= kVectors * S::kLanes;
  }
}

template <class S, class Weights, int kTokens = kTokensOfTile<S, Weights>>
void tile_of_group(int tokens, const TileWeights<Weights>& w, TileActivations x, TileResults out) {
  if constexpr (kTokens > 0) {
    if (tokens == kTokens) {
      tile_of_group<S, Weights, kTokens>(w, x, out);
    } else {
      tile_of_group<S, Weights, kTokens - 1>(tokens, w, x, out);
    }
  }
}

/* The range of a matmul: all rows of activations in it, some rows of weights. */
struct Range {
  const uint8_t* xq;  // first row of the range
  int64_t tokens;
  int64_t rows;     // of the weights
  int64_t columns;  // of the weights
  int64_t w_begin;
  int64_t w_end;
  float* y;          // of the first token and row 0 of the weights
  int64_t y_stride;  // elements
};

/* Runs the tiles of `tokens` tokens over one group of rows, from `first_block` of their columns on;
 * side belongs to side_block and the blocks after it. */
template <class S, class Weights>
void tiles_of_group(const Range& range, int64_t first_token, int64_t tokens, int64_t group,
                    TileWeights<Weights> w, int64_t first_block, const uint32_t* side,
                    int64_t side_block, int64_t side_blocks) {
  using Format = typename Weights::Format;
  const int64_t row_bytes = activation_row_bytes(range.columns);
  int64_t row = group * kGroupRows;
  int64_t t = 0;
  while (t < tokens) {
    int count = tile_tokens<S, Weights>(tokens - t);
    TileActivations x;
    x.q = range.xq + (first_token + t) * row_bytes + first_block * kActivationBlock;
    x.row_bytes = row_bytes;
    x.side = side + (t * side_blocks + (first_block - side_block) * count) * kSide<Format>;
    TileResults out;
    out.y = range.y + (first_token + t) * range.y_stride + row;
    out.stride = range.y_stride;
    out.rows = range.rows - row;
    out.add = first_block > 0;
    tile_of_group<S, Weights>(count, w, x, out);
    w.prefetch += w.records * Weights::kBlocks / w.prefetch_every * w.prefetch_bytes;
    t += count;
  }
}

/* Fills the sides of the tiles that share `tokens` tokens. */
template <class S, class Weights, class Format>
void fill_sides(const Range& range, int64_t first_token, int64_t tokens, int64_t first_block,
                int64_t blocks, uint32_t* side) {
  const int64_t row_bytes = activation_row_bytes(range.columns);
  int64_t t = 0;
  while (t < tokens) {
    int count = tile_tokens<S, Weights>(tokens - t);
    fill_side<S, Format>(range.xq + (first_token + t) * row_bytes, range.columns, count,
                         first_block, blocks, side + t * blocks * kSide<Format>);
    t += count;
  }
}

template <class S, class Format>
void matmul_few(const typename Format::Record* w, const Range& range) {
  using D = Direct<Format>;
  alignas(64) uint32_t side[kSideBytes / 4];
  constexpr int64_t kBlockBytes = 4 * kSide<Format>;
  const int64_t records = range.columns / (kActivationBlock * Format::kBlocks);
  const int64_t blocks = records * Format::kBlocks;
  const int64_t first_group = range.w_begin / kGroupRows;
  const int64_t end_group = (range.w_end + kGroupRows - 1) / kGroupRows;
  // Whole records, as many as the sides of all tokens have room for.
  const int64_t room =
      kSideBytes / (range.tokens * kBlockBytes) / Format::kBlocks * Format::kBlocks;
  const bool one_tile = range.tokens <= kTokensOfTile<S, D> &&
                        S::vectors(static_cast<int>(range.tokens)) * S::kLanes == kGroupRows;
  const int64_t step = one_tile ? room : kDirectColumns / kActivationBlock;
  const int64_t tiles = (range.tokens + kTokensOfTile<S, D> - 1) / kTokensOfTile<S, D>;
  const int64_t ahead = one_tile ? kPrefetchBytes<Format> : step * D::kBlockBytes;
  for (int64_t from = 0; from < blocks; from += room) {
    int64_t end = smaller(blocks, from + room);
    fill_sides<S, D, Format>(range, 0, range.tokens, from, end - from, side);
    for (int64_t group = first_group; group < end_group; group++) {
      const typename Format::Record* records_of_group = w + group * records;
      for (int64_t block = from; block < end; block += step) {
        int64_t count = smaller(step, end - block);
        TileWeights<D> weights;
        weights.record = records_of_group + block / Format::kBlocks;
        weights.records = count / Format::kBlocks;
        weights.prefetch = reinterpret_cast<const uint8_t*>(weights.record) + ahead;
        weights.prefetch_bytes = D::kBlockBytes;
        weights.prefetch_every = tiles;
        tiles_of_group<S>(range, 0, range.tokens, group, weights, block, side, from, end - from);
      }
    }
  }
}

template <class S, class Format>
void matmul_many(const typename Format::Record* w, const Range& range) {
  using P = Panel<DecodedFormatOf<S, Format>>;
  constexpr int64_t kPanelBlocks = kPanelColumns / kActivationBlock;
  constexpr int64_t kPanelRecords = kPanelBlocks / Format::kBlocks;
  constexpr int64_t kTokens =
      kSideBytes / (kPanelBlocks * 4 * kSide<Format>) / kTokensOfTile<S, P> * kTokensOfTile<S, P>;
  alignas(64) uint32_t side[kSideBytes / 4];
  typename P::Record panel[kPanelBlocks];
  const int64_t records = range.columns / (kActivationBlock * Format::kBlocks);
  const int64_t first_group = range.w_begin / kGroupRows;
  const int64_t end_group = (range.w_end + kGroupRows - 1) / kGroupRows;
  for (int64_t token = 0; token < range.tokens; token += kTokens) {
    int64_t tokens = smaller(kTokens, range.tokens - token);
    for (int64_t record = 0; record < records; record += kPanelRecords) {
      int64_t count = smaller(kPanelRecords, records - record);
      int64_t block = record * Format::kBlocks;
      int64_t blocks = count * Format::kBlocks;
      fill_sides<S, P, Format>(range, token, tokens, block, blocks, side);
      const int64_t tiles = (tokens + kTokensOfTile<S, P> - 1) / kTokensOfTile<S, P>;
      for (int64_t group = first_group; group < end_group; group++) {
        P::template decode<S, Format>(w + group * records + record, count, panel);
        const typename Format::Record* next = w + (group + 1) * records + record;
        TileWeights<P> weights{panel, blocks, reinterpret_cast<const uint8_t*>(next),
                               Direct<Format>::kBlockBytes, tiles};
        tiles_of_group<S>(range, token, tokens, group, weights, block, side, block, blocks);
      }
    }
  }
}

template <class S, class Format>
void matmul_quantized(const uint8_t* w, const Range& range) {
  const typename Format::Record* records = reinterpret_cast<const typename Format::Record*>(w);
  if (range.tokens < kPanelTokens<Format>) {
    matmul_few<S, Format>(records, range);
  } else {
    matmul_many<S, Format>(records, range);
  }
}

template <class Format>
int64_t packed_bytes(int64_t rows, int64_t columns) {
  return (rows + kGroupRows - 1) / kGroupRows * (columns / (kActivationBlock * Format::kBlocks)) *
         static_cast<int64_t>(sizeof(typename Format::Record));
}

/* Rows beyond the last are packed as zeros: their results are never stored. */
template <class Format>
void pack(const uint8_t* source, int64_t row_stride, int64_t rows, int64_t columns, uint8_t* target,
          int64_t row_begin, int64_t row_end) {
  const int64_t records = columns / (kActivationBlock * Format::kBlocks);
  for (int64_t row = row_begin; row < row_end; row += kGroupRows) {
    typename Format::Record* record =
        reinterpret_cast<typename Format::Record*>(target) + row / kGroupRows * records;
    int count = static_cast<int>(smaller(kGroupRows, rows - row));
    for (int64_t r = 0; r < records; r++, record++) {
      if (count < kGroupRows) {
        memset(record, 0, sizeof(*record));
      }
      for (int i = 0; i < count; i++) {
        Format::pack(source + (row + i) * row_stride + r * Format::kStoredBytes, *record, i);
      }
    }
  }
}

}  // namespace

#endif
