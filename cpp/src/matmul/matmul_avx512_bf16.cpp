/* Matmul in AVX-512 with VNNI, and with the dot product of BF16 for weights of that type. */

#include "kernel_table.h"
#include "matmul/float_panels.h"
#include "matmul/same_packing.h"
#include "matmul/simd_avx512.h"
#include "matmul/tensor_types.h"
#include "processor.h"

namespace {

/* Two columns of BF16: packed like PairedColumns, activations as pairs too. */
struct DotColumns {
  using Element = uint32_t;
  using X = uint32_t;
  static constexpr int kColumns = 2;
  static constexpr int kXs = 1;
  static constexpr bool kRounds = true;
  static constexpr bool kDecodes = false;

  template <class S>
  struct Vector {
    __m512i pairs;
    SM_INLINE void load(const Element* p) { pairs = S::load(p); }
  };

  template <class S>
  struct Activation {
    __m512i pair;
    SM_INLINE void load(const X* p) { pair = S::splat(*p); }
    SM_INLINE __m512 multiply(const Vector<S>& v, __m512 sum) const {
      return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(v.pairs),
                              reinterpret_cast<__m512bh>(pair));
    }
  };

  /* Rounds to BF16, except for numbers too small for a normal one: those count as zero. */
  template <class S>
  static void gather(const float* x, int64_t columns, X* to) {
    for (int64_t k = 0; k < columns; k += S::kLanes) {
      const int left = static_cast<int>(smaller(S::kLanes, columns - k));
      auto rounded = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(S::load(x + k, left)));
      const int pairs = (left + 1) / 2;
      _mm256_mask_storeu_epi32(to + k / 2, static_cast<__mmask8>((1 << pairs) - 1), rounded);
    }
  }
};

void matmul(int32_t type, const float* x, int64_t x_stride, const uint8_t* xq, int64_t x_begin,
            int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows, int64_t columns,
            int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
  // By the dot product of the Intel processor that was measured, 512 tokens take longer than by F32
  // multiply-adds.
  if (type != kTypeBF16 || w_stride > 0 || kIntelProcessor) {
    return kMatmulAvx512.matmul(type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows, columns,
                                w_begin, w_end, y, y_stride);
  }
  constexpr int64_t kFloat = sizeof(float);
  FloatRange range{x + x_begin * (x_stride / kFloat),
                   x_stride / kFloat,
                   x_end - x_begin,
                   rows,
                   columns,
                   w_begin,
                   w_end,
                   y + x_begin * (y_stride / kFloat),
                   y_stride / kFloat};
  if (range.tokens > 0 && w_begin < w_end) {
    matmul_float_panels<Avx512, DotColumns>(w, range);
  }
}

}  // namespace

const MatmulTable kMatmulAvx512Bf16 = SamePacking<kMatmulAvx512>::table(matmul);
