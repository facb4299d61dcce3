/*
 * The tiles of AMX-INT8: registers of up to 16 rows of 64 bytes. Tile 0 holds sums, 1 activations,
 * 2 weights.
 *
 * With SM_EMULATED_TILES a product is a plain loop, which tests everything around the instructions
 * where a processor lacks them.
 */
#ifndef SMALLMIND_MATMUL_TILES_H
#define SMALLMIND_MATMUL_TILES_H

#include "activations.h"
#include "matmul/common.h"

namespace {

constexpr int kTileTokens = 16;
constexpr int kTileRows = 16;

/* Sums of 16 tokens and 16 rows. */
struct alignas(64) Sums {
  int32_t of[kTileTokens][kTileRows];
};

/* The integers of 16 tokens in a block. */
struct alignas(64) TokenBlock {
  int8_t q[kTileTokens][kActivationBlock];
};

/* Signed bytes of a group's rows in a block, 4 columns to a dword. */
using WeightBlock = uint32_t[kActivationBlock / 4][kGroupRows];

#if defined(SM_EMULATED_TILES)

int emulated_columns;
Sums emulated_sums;

void shape_tiles(int columns) { emulated_columns = columns; }

void release_tiles() { emulated_columns = 0; }

template <int kScales, int kPart>
void start_product(const TokenBlock& x, const WeightBlock& w, int64_t lane, Sums& before) {
  before = emulated_sums;
  for (int t = 0; t < kTileTokens; t++) {
    for (int row = 0; row < kTileRows; row++) {
      int32_t sum = 0;
      for (int i = 0; i < emulated_columns; i++) {
        const int column = kActivationBlock / kScales * kPart + i;
        const uint32_t four = w[column / 4][lane + row];
        sum += x.q[t][column] * static_cast<int8_t>(four >> 8 * (column % 4));
      }
      emulated_sums.of[t][row] = sum;
    }
  }
}

#else

/* The layout of LDTILECFG (Intel manual, volume 1, 18.2). */
struct alignas(64) TileShapes {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

/* Gets the tiles ready for products of so many columns. */
inline void shape_tiles(int columns) {
  TileShapes shapes = {};
  shapes.palette = 1;
  shapes.row_bytes[0] = sizeof(Sums::of[0]);
  shapes.rows[0] = kTileTokens;
  shapes.row_bytes[1] = static_cast<uint16_t>(columns);
  shapes.rows[1] = kTileTokens;
  shapes.row_bytes[2] = kTileRows * 4;
  shapes.rows[2] = static_cast<uint8_t>(columns / 4);
  __asm__ volatile("ldtilecfg %0" : : "m"(shapes));
}

/* Until they are released, the system saves tiles with the thread. */
inline void release_tiles() { __asm__ volatile("tilerelease"); }

/* Stores the sums of the product before, and starts that of the columns of a scale: 16 tokens by
 * the 16 rows from a lane on. One tile of sums is enough: the processor renames it. (The compiler's
 * intrinsics don't tell it what memory they read, nor that they write no other.) */
template <int kScales, int kPart>
SM_INLINE void start_product(const TokenBlock& x, const WeightBlock& w, int64_t lane,
                             Sums& before) {
  // One register for all strides, so that enough are left for loops around it.
  constexpr int64_t kStride = sizeof(x.q[0]);
  static_assert(sizeof(before.of[0]) == 2 * kStride && sizeof(w[0]) == 4 * kStride, "strides");
  __asm__ volatile("tilestored %%tmm0, (%1,%2,2)" : "=m"(before) : "r"(&before), "r"(kStride));
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm1"
                   :
                   : "r"(&x.q[0][kActivationBlock / kScales * kPart]), "r"(kStride), "m"(x));
  __asm__ volatile("tileloadd (%0,%1,4), %%tmm2"
                   :
                   : "r"(&w[kActivationBlock / 4 / kScales * kPart][lane]), "r"(kStride), "m"(w));
  __asm__ volatile("tilezero %tmm0");
  __asm__ volatile("tdpbssd %tmm2, %tmm1, %tmm0");
}

#endif

}  // namespace

#endif
