// The vocabulary comes first: the operations are written in it.
// clang-format off
#include "simd_neon.h"
#include "ops/ops_impl.h"
// clang-format on

const OpsTable kOpsNeon = kOps;
