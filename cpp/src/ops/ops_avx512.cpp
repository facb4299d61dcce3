// The vocabulary comes first: the operations are written in it.
// clang-format off
#include "simd_avx512.h"
#include "ops/ops_impl.h"
// clang-format on

const OpsTable kOpsAvx512 = kOps;
