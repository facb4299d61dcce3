/* In work. */

#include "kernel_table.h"

namespace {

int32_t row_group(int32_t) { return 1; }
int64_t packed_bytes(int32_t, int64_t, int64_t) { return 0; }
void pack(int32_t, const uint8_t*, int64_t, int64_t, int64_t, uint8_t*, int64_t, int64_t) {}
void matmul(int32_t, const float*, int64_t, const uint8_t*, int64_t, int64_t, const uint8_t*,
            int64_t, int64_t, int64_t, int64_t, int64_t, float*, int64_t) {}

}  // namespace

const MatmulTable kMatmulNeonDotprod = {row_group, packed_bytes, pack, matmul};
