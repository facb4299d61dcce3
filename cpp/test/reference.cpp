/* What the kernels compute, in the plainest way. */

#include <cmath>
#include <cstring>
#include <limits>

#include "activations.h"
#include "conformance.h"

void reference_quantize(const float* x, int64_t columns, uint8_t* row) {
  std::memset(row, 0, static_cast<size_t>(activation_row_bytes(columns)));
  int8_t* q = reinterpret_cast<int8_t*>(row);
  float* scales = reinterpret_cast<float*>(row + activation_scales_offset(columns));
  int16_t* sums = reinterpret_cast<int16_t*>(row + activation_sums_offset(columns));
  for (int64_t block = 0; block < activation_blocks(columns); block++) {
    const int64_t begin = block * kActivationBlock;
    const int64_t end = std::fmin(begin + kActivationBlock, columns);
    float max = 0;
    bool finite = true;
    for (int64_t i = begin; i < end; i++) {
      finite &= std::isfinite(x[i]);
      max = std::fmax(max, std::fabs(x[i]));
    }
    if (!finite || max < 0x1p-100f) {
      scales[block] = finite ? 0 : std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    scales[block] = max / 127.0f;
    const float inverse = 127.0f / max;
    for (int64_t i = begin; i < end; i++) {
      q[i] = static_cast<int8_t>(std::nearbyint(x[i] * inverse));
      int16_t* sum = &sums[2 * block + (i - begin) / 16];
      *sum = static_cast<int16_t>(*sum + q[i]);
    }
  }
}
