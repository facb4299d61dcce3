// The vocabulary comes first: the operations are written in it.
// clang-format off
#include "simd_avx2.h"
#include "ops/ops_impl.h"
// clang-format on

const OpsTable kOpsAvx2 = kOps;
