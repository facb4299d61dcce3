/* In work. */
#ifndef SMALLMIND_OPS_OPS_IMPL_H
#define SMALLMIND_OPS_OPS_IMPL_H

#include "kernel_table.h"

namespace {

void quantize(const float*, int64_t, int64_t, uint8_t*, int64_t, int64_t) {}
void binary(int32_t, const float*, const float*, float*, int64_t) {}
void unary(int32_t, const float*, float*, int64_t) {}
void scale(float, const float*, float*, int64_t) {}
float dot(const float*, const float*, int64_t) { return 0.0f; }
void softmax(const float*, int64_t, int64_t, float*, int64_t, int64_t, int64_t) {}
void layer_norm(const float*, int64_t, int64_t, const float*, const float*, float, float*, int64_t,
                int64_t, int64_t) {}
void rms_norm(const float*, int64_t, int64_t, const float*, float, float*, int64_t, int64_t,
              int64_t) {}
void rope(int32_t, float*, int64_t, int64_t, int64_t, const float*) {}

constexpr OpsTable kOps = {quantize, binary,     unary,    scale, dot,
                           softmax,  layer_norm, rms_norm, rope};

}  // namespace

#endif
