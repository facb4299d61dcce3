/* The C interface: hands each call to the functions of the instruction set it names. A name that
 * this library does not hold does nothing and answers 0. */

#include "activations.h"
#include "kernel_table.h"
#include "smallmind.h"

namespace {

const MatmulTable* matmul_of(int32_t isa) {
  switch (isa) {
#if defined(__x86_64__)
    case SM_ISA_AVX2:
      return &kMatmulAvx2;
    case SM_ISA_AVX512_VNNI:
      return &kMatmulAvx512;
    case SM_ISA_AVX512_BF16:
      return &kMatmulAvx512Bf16;
    case SM_ISA_AVX512_AMX:
      return &kMatmulAvx512Amx;
#elif defined(__aarch64__)
    case SM_ISA_NEON:
      return &kMatmulNeon;
    case SM_ISA_NEON_DOTPROD:
      return &kMatmulNeonDotprod;
    case SM_ISA_NEON_I8MM:
      return &kMatmulNeonI8mm;
#endif
    default:
      return nullptr;
  }
}

const OpsTable* ops_of(int32_t isa) {
  switch (isa) {
#if defined(__x86_64__)
    case SM_ISA_AVX2:
      return &kOpsAvx2;
    case SM_ISA_AVX512_VNNI:
    case SM_ISA_AVX512_BF16:
    case SM_ISA_AVX512_AMX:
      return &kOpsAvx512;
#elif defined(__aarch64__)
    case SM_ISA_NEON:
    case SM_ISA_NEON_DOTPROD:
    case SM_ISA_NEON_I8MM:
      return &kOpsNeon;
#endif
    default:
      return nullptr;
  }
}

const AttentionTable* attention_of(int32_t isa) {
  switch (isa) {
#if defined(__x86_64__)
    case SM_ISA_AVX2:
      return &kAttentionAvx2;
    case SM_ISA_AVX512_VNNI:
    case SM_ISA_AVX512_BF16:
    case SM_ISA_AVX512_AMX:
      return &kAttentionAvx512;
#elif defined(__aarch64__)
    case SM_ISA_NEON:
    case SM_ISA_NEON_DOTPROD:
    case SM_ISA_NEON_I8MM:
      return &kAttentionNeon;
#endif
    default:
      return nullptr;
  }
}

}  // namespace

int32_t sm_abi_version(void) { return SM_ABI_VERSION; }

int32_t sm_row_group(int32_t isa, int32_t type) {
  const MatmulTable* matmul = matmul_of(isa);
  return matmul ? matmul->row_group(type) : 0;
}

int64_t sm_packed_bytes(int32_t isa, int32_t type, int64_t rows, int64_t columns) {
  const MatmulTable* matmul = matmul_of(isa);
  return matmul ? matmul->packed_bytes(type, rows, columns) : 0;
}

void sm_pack(int32_t isa, int32_t type, const uint8_t* source, int64_t row_stride, int64_t rows,
             int64_t columns, uint8_t* target, int64_t row_begin, int64_t row_end) {
  if (const MatmulTable* matmul = matmul_of(isa)) {
    matmul->pack(type, source, row_stride, rows, columns, target, row_begin, row_end);
  }
}

int64_t sm_activation_row_bytes(int64_t columns) { return activation_row_bytes(columns); }

void sm_quantize(int32_t isa, const float* x, int64_t x_stride, int64_t columns, uint8_t* target,
                 int64_t row_begin, int64_t row_end) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->quantize(x, x_stride, columns, target, row_begin, row_end);
  }
}

void sm_matmul(int32_t isa, int32_t type, const float* x, int64_t x_stride, const uint8_t* xq,
               int64_t x_begin, int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows,
               int64_t columns, int64_t w_begin, int64_t w_end, float* y, int64_t y_stride) {
  if (const MatmulTable* matmul = matmul_of(isa)) {
    matmul->matmul(type, x, x_stride, xq, x_begin, x_end, w, w_stride, rows, columns, w_begin,
                   w_end, y, y_stride);
  }
}

void sm_binary(int32_t isa, int32_t op, const float* a, const float* b, float* out,
               int64_t length) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->binary(op, a, b, out, length);
  }
}

void sm_unary(int32_t isa, int32_t op, const float* in, float* out, int64_t length) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->unary(op, in, out, length);
  }
}

void sm_gate(int32_t isa, int32_t op, float* gate, int64_t gate_stride, const float* up,
             int64_t up_stride, int64_t columns, int64_t row_begin, int64_t row_end) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->gate(op, gate, gate_stride, up, up_stride, columns, row_begin, row_end);
  }
}

void sm_scale(int32_t isa, float factor, const float* in, float* out, int64_t length) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->scale(factor, in, out, length);
  }
}

float sm_dot(int32_t isa, const float* a, const float* b, int64_t length) {
  const OpsTable* ops = ops_of(isa);
  return ops ? ops->dot(a, b, length) : 0.0f;
}

void sm_softmax(int32_t isa, const float* in, int64_t in_stride, int64_t columns, float* out,
                int64_t out_stride, int64_t row_begin, int64_t row_end) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->softmax(in, in_stride, columns, out, out_stride, row_begin, row_end);
  }
}

void sm_layer_norm(int32_t isa, const float* in, int64_t in_stride, int64_t columns,
                   const float* weight, const float* bias, float epsilon, float* out,
                   int64_t out_stride, int64_t row_begin, int64_t row_end) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->layer_norm(in, in_stride, columns, weight, bias, epsilon, out, out_stride, row_begin,
                    row_end);
  }
}

void sm_rms_norm(int32_t isa, const float* in, int64_t in_stride, int64_t columns,
                 const float* weight, float epsilon, float* out, int64_t out_stride,
                 int64_t row_begin, int64_t row_end) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->rms_norm(in, in_stride, columns, weight, epsilon, out, out_stride, row_begin, row_end);
  }
}

void sm_rope(int32_t isa, int32_t pairing, float* x, int64_t heads, int64_t head_dim,
             int64_t rotary_dim, const float* table) {
  if (const OpsTable* ops = ops_of(isa)) {
    ops->rope(pairing, x, heads, head_dim, rotary_dim, table);
  }
}

void sm_store_key_value(int32_t isa, int32_t type, const float* k, int64_t k_stride, const float* v,
                        int64_t v_stride, int64_t row_begin, int64_t row_end, int64_t position,
                        const uint8_t* pages, int64_t key_offset, int64_t value_offset,
                        int64_t head_dim, int64_t kv_head_begin, int64_t kv_head_end) {
  if (const AttentionTable* attention = attention_of(isa)) {
    attention->store(type, k, k_stride, v, v_stride, row_begin, row_end, position, pages,
                     key_offset, value_offset, head_dim, kv_head_begin, kv_head_end);
  }
}

void sm_attention(int32_t isa, int32_t type, const float* q, int64_t q_stride, int64_t row_begin,
                  int64_t row_end, int64_t position, const uint8_t* pages, int64_t key_offset,
                  int64_t value_offset, int64_t head_dim, int64_t kv_head_begin,
                  int64_t kv_head_end, int64_t group, float scale, float soft_cap, int64_t window,
                  float* out, int64_t out_stride) {
  if (const AttentionTable* attention = attention_of(isa)) {
    attention->attend(type, q, q_stride, row_begin, row_end, position, pages, key_offset,
                      value_offset, head_dim, kv_head_begin, kv_head_end, group, scale, soft_cap,
                      window, out, out_stride);
  }
}
