/*
 * Matmul of every instruction set that this machine has, for every format and awkward shapes,
 * against double precision on the same quantized blocks.
 *
 * Memory that a kernel may not touch is a page without access right behind weights, activations and
 * results.
 */

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "activations.h"
#include "check.h"
#include "conformance.h"
#include "kernel_table.h"
#include "reference_formats.h"
#include "reference_inputs.h"
#include "smallmind.h"

#if defined(__x86_64__)
extern const MatmulTable kMatmulEmulatedTiles;
#endif

namespace {

constexpr int32_t kTypeBF16 = 30;

/* What packs for an instruction set. */
int32_t packer(int32_t isa) { return isa == kEmulatedTiles ? SM_ISA_AVX512_VNNI : isa; }

void matmul(int32_t isa, int32_t type, const float* x, int64_t x_stride, const uint8_t* xq,
            int64_t x_begin, int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows,
            int64_t columns, int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
#if defined(__x86_64__)
  if (isa == kEmulatedTiles) {
    return kMatmulEmulatedTiles.matmul(type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows,
                                       columns, w_begin, w_end, y, y_stride);
  }
#endif
  sm_matmul(isa, type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows, columns, w_begin, w_end,
            y, y_stride);
}

using reference::Fill;
using reference::fill_weights;
using reference::FormatInfo;
using reference::quantize;

struct Case {
  int32_t isa;
  const FormatInfo& format;
  int64_t tokens;
  int64_t rows;
  int64_t columns;
  Fill fill;
  bool packed;
  bool quick;
};

void fail(const Case& c, const char* what, int64_t token, int64_t row, double expected,
          double actual) {
  check(false, "%s %s, %lld x %lld x %lld: %s at (%lld, %lld): expected %.9g, was %.9g",
        isa_name(c.isa), c.format.name, static_cast<long long>(c.tokens),
        static_cast<long long>(c.rows), static_cast<long long>(c.columns), what,
        static_cast<long long>(token), static_cast<long long>(row), expected, actual);
}

void test_case(const Case& c, Random& random) {
  const int64_t failed_before = failed_cases();
  const FormatInfo& format = c.format;
  const int64_t blocks = c.columns / format.block;
  const int64_t stored_bytes = blocks * format.bytes;
  const int64_t element = format.quantized ? 1 : format.bytes;
  const int64_t stride = stored_bytes + 3 * element;
  Guarded stored(static_cast<size_t>(c.rows * stride - 3 * element), static_cast<size_t>(element));
  for (int64_t row = 0; row < c.rows; row++) {
    fill_weights(format, blocks, c.fill, random, stored.bytes() + row * stride);
  }

  const int64_t x_stride = c.columns + 5;
  Guarded x(static_cast<size_t>(c.tokens * x_stride * 4 - 5 * 4), 4);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t t = 0; t < c.tokens; t++) {
    for (int64_t k = 0; k < c.columns; k++) {
      x.floats()[t * x_stride + k] = c.fill == Fill::kRandom    ? uniform(random)
                                     : c.fill == Fill::kExtreme ? 0x1p-60f * uniform(random)
                                     : t % 2                    ? 1.0f
                                                                : -1.0f;
    }
  }
  // The last token's last value poisons its whole row of results.
  const int64_t poisoned = c.tokens > 2 ? c.tokens - 1 : -1;
  if (poisoned >= 0) {
    x.floats()[poisoned * x_stride + c.columns - 1] = INFINITY;
  }
  const int64_t row_bytes = sm_activation_row_bytes(c.columns);
  Guarded xq(static_cast<size_t>(c.tokens * row_bytes), 64);
  for (int64_t t = 0; t < c.tokens; t++) {
    quantize(x.floats() + t * x_stride, c.columns, xq.bytes() + t * row_bytes);
  }

  const int64_t group = sm_row_group(packer(c.isa), format.type);
  const int64_t packed_bytes =
      c.packed ? sm_packed_bytes(packer(c.isa), format.type, c.rows, c.columns) : 0;
  Guarded packed(static_cast<size_t>(packed_bytes), 64);
  const int64_t half = std::min(c.rows, c.rows / 2 / group * group);
  if (packed_bytes > 0) {
    std::memset(packed.bytes(), 0xa5, static_cast<size_t>(packed_bytes));
    sm_pack(packer(c.isa), format.type, stored.bytes(), stride, c.rows, c.columns, packed.bytes(),
            half, c.rows);
    sm_pack(packer(c.isa), format.type, stored.bytes(), stride, c.rows, c.columns, packed.bytes(),
            0, half);
  }
  const uint8_t* w = packed_bytes > 0 ? packed.bytes() : stored.bytes();
  const int64_t w_stride = packed_bytes > 0 ? 0 : stride;

  auto run = [&](int64_t t0, int64_t t1, int64_t r0, int64_t r1, float* y, int64_t y_stride) {
    matmul(c.isa, format.type, x.floats(), x_stride * 4, xq.bytes(), t0, t1, w, w_stride, c.rows,
           c.columns, r0, r1, y, y_stride);
  };
  const int64_t y_stride = c.rows + 3;
  Guarded y(static_cast<size_t>(c.tokens * y_stride * 4 - 3 * 4), 4);
  const float untouched = 12345.0f;
  for (int64_t i = 0; i < c.tokens * y_stride - 3; i++) {
    y.floats()[i] = untouched;
  }
  run(0, c.tokens, 0, c.rows, y.floats(), y_stride * 4);

  std::vector<double> decoded(static_cast<size_t>(c.columns));
  std::vector<double> without_minimum(decoded.size());
  std::vector<uint8_t> copy(static_cast<size_t>(format.bytes));
  for (int64_t row = 0; row < c.rows; row++) {
    for (int64_t k = 0; k < c.columns; k++) {
      const uint8_t* block = stored.bytes() + row * stride + k / format.block * format.bytes;
      decoded[static_cast<size_t>(k)] =
          reference::value(format.type, block, static_cast<int>(k % format.block));
      std::memcpy(copy.data(), block, copy.size());
      if (format.scale_at[1] >= 0) {
        std::memset(copy.data() + format.scale_at[1], 0, 2);
      }
      without_minimum[static_cast<size_t>(k)] =
          reference::value(format.type, copy.data(), static_cast<int>(k % format.block));
    }
    for (int64_t t = 0; t < c.tokens; t++) {
      // The others have the bits that they have one by one, which takes the same path for each.
      if (c.quick && t >= 2 && t < c.tokens - 2) {
        continue;
      }
      const uint8_t* a = xq.bytes() + t * row_bytes;
      double sum = 0;
      double magnitude = 0;
      for (int64_t k = 0; k < c.columns; k++) {
        double value = x.floats()[t * x_stride + k];
        if (format.type == kTypeBF16) {
          value = reference::round_bf16(x.floats()[t * x_stride + k]);
        }
        if (format.quantized) {
          float d;
          std::memcpy(&d, a + activation_scales_offset(c.columns) + k / 32 * 4, 4);
          value = static_cast<double>(d) * static_cast<int8_t>(a[k]);
        }
        const double weight = decoded[static_cast<size_t>(k)];
        const double scaled = without_minimum[static_cast<size_t>(k)];
        sum += weight * value;
        // Minimums are summed apart from what they belong to: the two may cancel.
        magnitude += (std::fabs(scaled) + std::fabs(weight - scaled)) * std::fabs(value);
      }
      const double actual = y.floats()[t * y_stride + row];
      if (t == poisoned && format.quantized) {
        if (!std::isnan(actual)) {
          fail(c, "not poisoned", t, row, NAN, actual);
        }
        continue;
      }
      // A rounding per block and one per scale; for floats, one per product of a chain or a lane.
      const int64_t chain =
          c.packed ? std::min<int64_t>(c.columns, 128) + c.columns / 128 : c.columns / 4;
      const double terms =
          static_cast<double>(format.quantized ? c.columns / 32 * 4 + 8 : chain + 8);
      const double tolerance = terms * FLT_EPSILON * magnitude;
      if (t == poisoned ? std::isfinite(actual) && decoded.back() != 0
                        : !(std::fabs(actual - sum) <= tolerance)) {
        fail(c, "value", t, row, sum, actual);
      }
    }
  }
  for (int64_t t = 0; t + 1 < c.tokens; t++) {
    for (int64_t row = c.rows; row < y_stride; row++) {
      if (y.floats()[t * y_stride + row] != untouched) {
        fail(c, "written beyond the row", t, row, untouched, y.floats()[t * y_stride + row]);
      }
    }
  }

  // The same bits one token and one group of rows at a time; stored rows may begin anywhere.
  Guarded single(static_cast<size_t>(c.rows * 4), 4);
  const int64_t some = c.packed ? group : 19;
  for (int64_t t = 0; t < c.tokens; t++) {
    for (int64_t row = 0; row < c.rows; row += some) {
      run(t, t + 1, row, std::min(c.rows, row + some), single.floats() - t * c.rows, c.rows * 4);
    }
    for (int64_t row = 0; row < c.rows; row++) {
      const float* whole = y.floats() + t * y_stride + row;
      if (std::memcmp(whole, single.floats() + row, 4) != 0 &&
          !(std::isnan(*whole) && std::isnan(single.floats()[row]))) {
        fail(c, "batch differs from one by one", t, row, single.floats()[row], *whole);
      }
    }
  }
  // The same bits for the tokens and rows from some on.
  const int64_t first_token = std::min<int64_t>(c.tokens - 1, 5);
  const int64_t first_row = c.packed ? half : c.rows / 3;
  Guarded part(static_cast<size_t>(c.tokens * c.rows * 4), 4);
  run(first_token, c.tokens, first_row, c.rows, part.floats(), c.rows * 4);
  for (int64_t t = first_token; t < c.tokens; t++) {
    for (int64_t row = first_row; row < c.rows; row++) {
      const float* whole = y.floats() + t * y_stride + row;
      const float* of_part = part.floats() + t * c.rows + row;
      if (std::memcmp(whole, of_part, 4) != 0 && !(std::isnan(*whole) && std::isnan(*of_part))) {
        fail(c, "a part differs", t, row, *of_part, *whole);
      }
    }
  }
  const bool intact = stored.intact() && x.intact() && xq.intact() && packed.intact() &&
                      y.intact() && single.intact() && part.intact();
  check(failed_cases() == failed_before && intact, "%s %s, %lld x %lld x %lld, intact %d",
        isa_name(c.isa), c.format.name, static_cast<long long>(c.tokens),
        static_cast<long long>(c.rows), static_cast<long long>(c.columns), intact);
}

}  // namespace

void test_matmul(int32_t isa, bool quick) {
  Random random(42);
  const std::vector<int64_t> all_tokens = {1, 2, 3, 4, 5, 6, 7, 8, 13, 15, 16, 17, 19, 20, 21, 33};
  const std::vector<int64_t> some_tokens = {1, 2, 3, 4, 7, 21};
  const std::vector<int64_t> paired_tokens = {9, 10, 11, 12};
  const std::vector<int64_t> tiled_tokens = {31, 32, 33, 47, 48, 127, 128, 145};
  const std::vector<int64_t> stored_tokens = {1, 5, 21};
  const std::vector<int64_t> stored_pairs = {9};
  const std::vector<int64_t> all_rows = {1, 31, 32, 33, 47, 48, 49, 79};
  const std::vector<int64_t> some_rows = {1, 31, 32, 79};
  for (const FormatInfo& format : reference::kFormats) {
    // What is left out here has the functions of another instruction set.
    const bool paired = isa == SM_ISA_NEON_I8MM;
    const bool tiled = isa == SM_ISA_AVX512_AMX || isa == kEmulatedTiles;
    if ((isa == SM_ISA_AVX512_BF16 && format.type != kTypeBF16) ||
        ((paired || tiled) && !format.quantized)) {
      continue;
    }
    const auto test = [&](int64_t tokens, int64_t rows, int64_t columns, Fill fill = Fill::kRandom,
                          bool packed = true) {
      test_case({isa, format, tokens, rows, columns, fill, packed, quick}, random);
    };
    if (tiled) {
      for (int64_t tokens : tiled_tokens) {
        for (int64_t rows : quick ? some_rows : all_rows) {
          test(tokens, rows, tokens % 2 ? 3 * format.block : format.block);
        }
      }
      for (int64_t tokens : {40, 150}) {  // Several ranges of columns, and of tokens.
        for (bool packed : {true, false}) {
          test(tokens, 79, 1280, Fill::kRandom, packed);
          test(tokens, 33, 512, Fill::kExtreme, packed);
        }
        test(tokens, 40, 2304);
        test(tokens, 33, 512, Fill::kZeros);
        test(tokens, 33, 512, Fill::kOnes);
      }
      continue;
    }
    for (int64_t tokens : paired ? paired_tokens : quick ? some_tokens : all_tokens) {
      for (int64_t rows : quick ? some_rows : all_rows) {
        int64_t columns = tokens % 2 ? 3 * format.block : format.block;
        if (!format.quantized) {
          columns = tokens * 7 + rows % 5;
          test(tokens, rows, columns, Fill::kRandom, false);
        }
        test(tokens, rows, columns);
      }
    }
    test(21, 40, 2304);
    if (format.quantized) {
      for (int64_t tokens : paired ? stored_pairs : stored_tokens) {
        for (int64_t rows : {3, 79}) {
          test(tokens, rows, format.block, Fill::kRandom, false);
        }
        test(tokens, 33, 2304, Fill::kRandom, false);
      }
      // No row is left over: what reads along rows reads the last block, too.
      test(1, 32, 512, Fill::kRandom, false);
      // More rows than are stored at once.
      for (int64_t tokens : paired ? stored_pairs : stored_tokens) {
        test(tokens, 1035, format.block);
      }
      test(1, 1035, format.block, Fill::kRandom, false);
    }
    if (!format.quantized) {  // Several blocks of tokens, and of groups.
      test(133, 40, 256);
      test(40, 560, 160);
    }
    if (paired) {
      test(111, 33, 256);
    } else {
      test(9, 40, 1280);
      test(1, 33, 4096);
      test(3, 33, 512);
      test(6, 33, 512);
    }
    if (!quick) {
      test(300, 33, 256);
      if (format.quantized) {
        for (bool packed : {true, false}) {
          test(19, 40, 16384, Fill::kRandom, packed);  // Several ranges of columns.
          for (int64_t tokens : {9, 19}) {             // So many that fewer rows are kept.
            test(tokens, 460, format.block, Fill::kRandom, packed);
          }
        }
      }
    }
    if (format.quantized) {
      for (int64_t tokens : {1, 6, 21}) {
        test(tokens, 33, 512, Fill::kExtreme);
        test(tokens, 33, 512, Fill::kExtreme, false);
      }
    }
    for (Fill fill : {Fill::kZeros, Fill::kOnes}) {
      test(2, 33, 512, fill);
      test(21, 33, 512, fill);
    }
  }
}
