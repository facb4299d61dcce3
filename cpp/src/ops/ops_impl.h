/* All operations, in the vocabulary of the one of simd_*.h that was included before. */
#ifndef SMALLMIND_OPS_OPS_IMPL_H
#define SMALLMIND_OPS_OPS_IMPL_H

#include "kernel_table.h"
#include "ops/elementwise.h"
#include "ops/quantize.h"
#include "ops/rows.h"

namespace {

constexpr OpsTable kOps = {quantize, binary,  unary,      gate,     scale,
                           dot,      softmax, layer_norm, rms_norm, rope};

}  // namespace

#endif
