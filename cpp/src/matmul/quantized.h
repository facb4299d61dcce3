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
#include "processor.h"

namespace {

/* From how many tokens on a panel pays. Formats less in use have tiles over packed records for one
 * token only, which is what keeps the library small and quick to compile. */
template <class Format>
constexpr int64_t kPanelTokens = Format::kDirectTiles ? 20 : 2;

/* Columns of a panel: with its scales it takes most of L1, and at most 52 KiB. */
constexpr int64_t kPanelColumns = 1024;

/* Columns that several tiles over packed records take at once: those and the next, which they ask
 * memory for meanwhile, stay in L1; and columns of stored weights that are packed at once. */
constexpr int64_t kDirectColumns = 512;

template <class Format>
constexpr int64_t kRecordsAtOnce = kDirectColumns / (kActivationBlock * Format::kBlocks);

/* Large blocks keep more lines on their way than L1 can wait for: L2 asks for them before. */
template <class Format>
constexpr Ahead kAhead = Direct<Format>::kBlockBytes > 768 ? Ahead{1024, 6144} : Ahead{4096, 0};

/* What lies in records of many blocks processors fetch ahead for one token by themselves, and
 * better than when they are asked, as measured on AMD's; the one of Intel's that
 * was measured doesn't. */
template <class Format>
bool fetches_by_itself(int64_t tokens) {
  return tokens == 1 && Format::kBlocks > 1 && !kIntelProcessor;
}

/* Fills the sides of the tile of `tokens` tokens whose first row of activations is xq, for `blocks`
 * blocks from first_block on. First sums start from kStart. */
template <class S, class Format, int32_t kStart = kSumStart<S, Format>>
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
          int32_t bias = (p == 0 ? kStart : 0) - kOffset * sum;
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
void tile_of_group(const TileWeights<Weights>& w, const TileActivations& x, TileResults out) {
  constexpr int kVectors = S::vectors(kTokens);
  for (int lane = 0; lane < kGroupRows && out.rows > 0; lane += kVectors * S::kLanes) {
    tile<S, Weights, kTokens, kVectors>(w, lane, x, out);
    out.y += kVectors * S::kLanes;
    out.rows -= kVectors * S::kLanes;
  }
}

template <class S, class Weights, int kTokens = kTokensOfTile<S, Weights>>
void tile_of_group(int tokens, const TileWeights<Weights>& w, const TileActivations& x,
                   const TileResults& out) {
  if constexpr (kTokens > 0) {
    if (tokens == kTokens) {
      tile_of_group<S, Weights, kTokens>(w, x, out);
    } else {
      tile_of_group<S, Weights, kTokens - 1>(tokens, w, x, out);
    }
  }
}

/* The range of a matmul: all rows of activations in it, some rows of weights. Packed weights begin
 * at a group. */
struct Range {
  const uint8_t* xq;  // first row of the range
  int64_t tokens;
  int64_t columns;  // of the weights
  int64_t w_begin;
  int64_t w_end;
  float* y;          // of the first token and row 0 of the weights
  int64_t y_stride;  // elements
};

/* The range that the arguments of smallmind.h describe: y_stride in bytes. */
inline Range range_of(const uint8_t* xq, int64_t x_begin, int64_t x_end, int64_t columns,
                      int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
  const int64_t y_elements = y_stride / static_cast<int64_t>(sizeof(float));
  return {xq + x_begin * activation_row_bytes(columns),
          x_end - x_begin,
          columns,
          w_begin,
          w_end,
          y + x_begin * y_elements,
          y_elements};
}

/* Packs `records` blocks of each of `count` rows; other rows of the records are zeros: their
 * results are never stored. On the way memory is asked for as many bytes from `next` on. */
template <class Format>
void pack_rows(const uint8_t* blocks, int64_t row_stride, int count, int64_t records,
               const uint8_t* next, typename Format::Record* to) {
  constexpr int kBytes = kStoredRows * Format::kStoredBytes;
  if (count < kGroupRows) {
    memset(to, 0, static_cast<size_t>(records) * sizeof(*to));
  }
  int row = 0;
  for (; row + kStoredRows <= count; row += kStoredRows) {
    Stored<ManyDwords> stored{blocks + row * row_stride, row_stride};
    for (int64_t r = 0; r < records; r++, stored.block += Format::kStoredBytes, next += kBytes) {
      for (int line = 0; line < kBytes; line += 64) {
        __builtin_prefetch(next + line, 0, 2);
      }
      Format::pack(stored, to[r], row);
    }
  }
  for (; row < count; row++) {
    Stored<uint32_t> stored{blocks + row * row_stride, row_stride};
    for (int64_t r = 0; r < records; r++, stored.block += Format::kStoredBytes) {
      Format::pack(stored, to[r], row);
    }
  }
}

/* What to ask memory for while the records of a group from some record on are packed: the rows of a
 * group lie one behind the other, and the next group is asked for in the order of its bytes. */
template <class Format>
const uint8_t* next_group(const uint8_t* weights, int64_t row_stride, int64_t row, int64_t record) {
  return weights + (row + kGroupRows) * row_stride + record * kGroupRows * Format::kStoredBytes;
}

/* The weights of a matmul, packed or as they are stored: those are packed on the way, a few columns
 * of a group at a time. */
template <class Format>
class Source {
 public:
  using Record = typename Format::Record;

  static constexpr int64_t kRecords = kRecordsAtOnce<Format>;

  /* row_stride is 0 for packed weights. */
  Source(const uint8_t* weights, int64_t row_stride, int64_t columns, int64_t row_end)
      : weights_(weights),
        row_stride_(row_stride),
        records_(columns / (kActivationBlock * Format::kBlocks)),
        row_end_(row_end) {}

  bool is_packed() const { return row_stride_ == 0; }

  /* Records of a row. */
  int64_t records() const { return records_; }

  /* The packed records of the group that begins with a row. */
  const Record* packed(int64_t row, int64_t record) const {
    return reinterpret_cast<const Record*>(weights_) + row / kGroupRows * records_ + record;
  }

  /* Up to kRecords records of the group that begins with a row, packed by now. */
  const Record* pack(int64_t row, int64_t record, int64_t count) {
    if (record == 0) {
      touch_next_group(row);
    }
    pack_rows<Format>(weights_ + row * row_stride_ + record * Format::kStoredBytes, row_stride_,
                      static_cast<int>(smaller(kGroupRows, row_end_ - row)), count,
                      next_group<Format>(weights_, row_stride_, row, record), scratch_);
    return scratch_;
  }

 private:
  /* A file lies on small pages, whose addresses take long to translate: of a whole group at once,
   * the processor looks for several at the same time. */
  void touch_next_group(int64_t row) const {
    const uint8_t* next = next_group<Format>(weights_, row_stride_, row, 0);
    for (int64_t page = 0; page < kGroupRows * row_stride_; page += 4096) {
      __builtin_prefetch(next + page, 0, 2);
    }
  }

  const uint8_t* weights_;
  const int64_t row_stride_;
  const int64_t records_;
  const int64_t row_end_;
  Record scratch_[kRecords];
};

/* Results that a cache holds from panel to panel, in elements. */
constexpr int64_t kCachedResults = 1 << 20;

/* Asks for the results of some tokens in a group of rows, into the cache of a level. */
template <int kLevel>
SM_INLINE void touch_results(const float* y, int64_t stride, int64_t tokens) {
  for (int64_t t = 0; t < tokens; t++, y += stride) {
    __builtin_prefetch(y, 1, 4 - kLevel);
    __builtin_prefetch(y + kGroupRows / 2, 1, 4 - kLevel);
  }
}

/* Runs the tiles of `tokens` tokens over a group of rows, from `first_block` of their columns on;
 * side belongs to side_block and the blocks after it. `results` are those of the first of the
 * tokens and of the group. */
template <class S, class Weights>
void tiles_of_group(const Range& range, int64_t first_token, int64_t tokens,
                    const TileResults& results, TileWeights<Weights> w, int64_t first_block,
                    const uint32_t* side, int64_t side_block, int64_t side_blocks) {
  using Format = typename Weights::Format;
  const int64_t row_bytes = activation_row_bytes(range.columns);
  const bool far = range.tokens * results.stride > kCachedResults;
  int64_t t = 0;
  while (t < tokens) {
    int count = tile_tokens<S, Weights>(tokens - t);
    TileActivations x;
    x.q = range.xq + (first_token + t) * row_bytes + first_block * kActivationBlock;
    x.row_bytes = row_bytes;
    x.side = side + (t * side_blocks + (first_block - side_block) * count) * kSide<Format>;
    TileResults out = results;
    out.y += t * out.stride;
    if (far) {
      touch_results<1>(out.y + count * out.stride, out.stride, smaller(tokens - t - count, count));
    }
    tile_of_group<S, Weights>(count, w, x, out);
    if (w.prefetch_every > 0) {
      w.prefetch += w.records * Weights::kBlocks / w.prefetch_every * w.prefetch_bytes;
    }
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

/*
 * Results of few tokens on their way to memory. Weights that stream by leave no results in the
 * caches, and a tile that ends with a store to memory holds up the loads of the next one: so the
 * results of many rows are kept on the stack, and stored at once.
 */
class GatheredResults {
  static constexpr int64_t kRows = 512;
  static constexpr int64_t kResults = 4096;

 public:
  static constexpr int64_t kMostTokens = kResults / kGroupRows;

  /* y: of the first token and row 0; y_stride in elements; row: the first one. */
  GatheredResults(float* y, int64_t y_stride, int64_t tokens, int64_t row)
      : y_(y),
        y_stride_(y_stride),
        tokens_(tokens),
        rows_(smaller(kRows, kResults / tokens / kGroupRows * kGroupRows)),
        first_(row) {}

  /* Where the results of a row and those behind it belong, until the next call of advance: of the
   * first token. */
  float* at(int64_t row) { return results_ + (row - first_); }

  /* From token to token, in elements. */
  int64_t stride() const { return rows_; }

  /* All rows before this one are done; `last`: and there are no more. */
  void advance(int64_t row, bool last) {
    if (row - first_ < rows_ && !last) {
      return;
    }
    for (int64_t t = 0; t < tokens_; t++) {
      memcpy(y_ + t * y_stride_ + first_, results_ + t * rows_,
             static_cast<size_t>(row - first_) * sizeof(float));
    }
    first_ = row;
  }

 private:
  float* const y_;
  const int64_t y_stride_;
  const int64_t tokens_;
  const int64_t rows_;
  int64_t first_;
  alignas(64) float results_[kResults];
};

template <class S, class Format>
void matmul_few(Source<Format>& w, const Range& range) {
  using D = Direct<Format>;
  alignas(64) uint32_t side[kSideBytes / 4];
  constexpr int64_t kBlockBytes = 4 * kSide<Format>;
  const int64_t blocks = w.records() * Format::kBlocks;
  // Whole records, as many as the sides of all tokens have room for.
  const int64_t room =
      kSideBytes / (range.tokens * kBlockBytes) / Format::kBlocks * Format::kBlocks;
  const bool one_tile = range.tokens <= kTokensOfTile<S, D> &&
                        S::vectors(static_cast<int>(range.tokens)) * S::kLanes == kGroupRows;
  const int64_t step = one_tile && w.is_packed() ? room : kDirectColumns / kActivationBlock;
  const int64_t tiles = (range.tokens + kTokensOfTile<S, D> - 1) / kTokensOfTile<S, D>;
  const Ahead ahead = kIntelProcessor ? kAheadOnIntel : kAhead<Format>;
  const int64_t near = one_tile ? ahead.near : step * D::kBlockBytes;
  // Where sides have no room for all columns, tiles add to results: those stay where they are.
  const bool gathers = blocks <= room;
  static_assert(kPanelTokens<Format> <= GatheredResults::kMostTokens, "a group of rows each");
  GatheredResults gathered(range.y, range.y_stride, range.tokens, range.w_begin);
  for (int64_t from = 0; from < blocks; from += room) {
    int64_t end = smaller(blocks, from + room);
    fill_sides<S, D, Format>(range, 0, range.tokens, from, end - from, side);
    for (int64_t row = range.w_begin; row < range.w_end; row += kGroupRows) {
      for (int64_t block = from; block < end; block += step) {
        const int64_t record = block / Format::kBlocks;
        TileWeights<D> weights;
        weights.records = smaller(step, end - block) / Format::kBlocks;
        if (w.is_packed()) {
          weights.record = w.packed(row, record);
          weights.prefetch = reinterpret_cast<const uint8_t*>(weights.record) + near;
          weights.prefetch_every = fetches_by_itself<Format>(range.tokens) ? 0 : tiles;
        } else {
          weights.record = w.pack(row, record, weights.records);
          weights.prefetch = nullptr;
          weights.prefetch_every = 0;  // It lies in L1.
        }
        weights.prefetch_bytes = D::kBlockBytes;
        weights.prefetch_further = ahead.further;
        const int64_t rows = range.w_end - row;
        const TileResults results =
            gathers ? TileResults{gathered.at(row), gathered.stride(), rows, block > 0}
                    : TileResults{range.y + row, range.y_stride, rows, block > 0};
        tiles_of_group<S>(range, 0, range.tokens, results, weights, block, side, from, end - from);
      }
      if (gathers) {
        const int64_t done = smaller(range.w_end, row + kGroupRows);
        gathered.advance(done, done == range.w_end);
      }
    }
  }
}

template <class S, class Format>
void matmul_many(Source<Format>& w, const Range& range) {
  using P = Panel<DecodedFormatOf<S, Format>>;
  constexpr int64_t kPanelBlocks = kPanelColumns / kActivationBlock;
  constexpr int64_t kPanelRecords = kPanelBlocks / Format::kBlocks;
  constexpr int64_t kTokens =
      kSideBytes / (kPanelBlocks * 4 * kSide<Format>) / kTokensOfTile<S, P> * kTokensOfTile<S, P>;
  alignas(64) uint32_t side[kSideBytes / 4];
  typename P::Record panel[kPanelBlocks];
  for (int64_t token = 0; token < range.tokens; token += kTokens) {
    int64_t tokens = smaller(kTokens, range.tokens - token);
    for (int64_t record = 0; record < w.records(); record += kPanelRecords) {
      int64_t count = smaller(kPanelRecords, w.records() - record);
      int64_t block = record * Format::kBlocks;
      int64_t blocks = count * Format::kBlocks;
      fill_sides<S, P, Format>(range, token, tokens, block, blocks, side);
      const int64_t tiles = (tokens + kTokensOfTile<S, P> - 1) / kTokensOfTile<S, P>;
      for (int64_t row = range.w_begin; row < range.w_end; row += kGroupRows) {
        TileWeights<P> weights{panel, blocks, nullptr, Direct<Format>::kBlockBytes, tiles, 0};
        if (w.is_packed()) {
          P::template decode<S, Format>(w.packed(row, record), count, panel);
          weights.prefetch = reinterpret_cast<const uint8_t*>(w.packed(row + kGroupRows, record));
        } else {
          for (int64_t r = 0; r < count; r += w.kRecords) {
            const int64_t part = smaller(w.kRecords, count - r);
            P::template decode<S, Format>(w.pack(row, record + r, part), part,
                                          panel + r * Format::kBlocks);
          }
          weights.prefetch_every = 0;
        }
        const TileResults results = {range.y + token * range.y_stride + row, range.y_stride,
                                     range.w_end - row, block > 0};
        tiles_of_group<S>(range, token, tokens, results, weights, block, side, block, blocks);
      }
    }
  }
}

/* Multiplies one token by weights as they are stored, where an instruction set does so without
 * packing them: by a specialization with
 *   matmul(w, row_stride, range) -> the first row that it has left over. */
template <class S, class Format>
struct OneByStored {
  static constexpr bool kExists = false;
};

/* row_stride is 0 for packed weights. */
template <class S, class Format>
void matmul_quantized(const uint8_t* w, int64_t row_stride, Range range) {
  if constexpr (OneByStored<S, Format>::kExists) {
    if (row_stride != 0 && range.tokens == 1) {
      range.w_begin = OneByStored<S, Format>::matmul(w, row_stride, range);
    }
  }
  Source<Format> source(w, row_stride, range.columns, range.w_end);
  if (range.tokens < kPanelTokens<Format>) {
    matmul_few<S, Format>(source, range);
  } else {
    matmul_many<S, Format>(source, range);
  }
}

template <class Format>
int64_t packed_bytes(int64_t rows, int64_t columns) {
  return (rows + kGroupRows - 1) / kGroupRows * (columns / (kActivationBlock * Format::kBlocks)) *
         static_cast<int64_t>(sizeof(typename Format::Record));
}

template <class Format>
void pack(const uint8_t* source, int64_t row_stride, int64_t rows, int64_t columns, uint8_t* target,
          int64_t row_begin, int64_t row_end) {
  const int64_t records = columns / (kActivationBlock * Format::kBlocks);
  for (int64_t row = row_begin; row < row_end; row += kGroupRows) {
    typename Format::Record* to =
        reinterpret_cast<typename Format::Record*>(target) + row / kGroupRows * records;
    const int count = static_cast<int>(smaller(kGroupRows, rows - row));
    // As many at once as stay in L1 until they are whole.
    for (int64_t record = 0; record < records; record += kRecordsAtOnce<Format>) {
      pack_rows<Format>(source + row * row_stride + record * Format::kStoredBytes, row_stride,
                        count, smaller(kRecordsAtOnce<Format>, records - record),
                        next_group<Format>(source, row_stride, row, record), to + record);
    }
  }
}

}  // namespace

#endif
