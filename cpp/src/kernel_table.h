/*
 * The functions of one instruction set. Each table is a constant that its own source file fills
 * with functions no other file can see; dispatch.cpp is the only one to read them.
 *
 * Arguments are those of smallmind.h without `isa`.
 */
#ifndef SMALLMIND_KERNEL_TABLE_H
#define SMALLMIND_KERNEL_TABLE_H

#include <stdint.h>

struct MatmulTable {
  int32_t (*row_group)(int32_t type);
  int64_t (*packed_bytes)(int32_t type, int64_t rows, int64_t columns);
  void (*pack)(int32_t type, const uint8_t* source, int64_t row_stride, int64_t rows,
               int64_t columns, uint8_t* target, int64_t row_begin, int64_t row_end);
  void (*matmul)(int32_t type, const float* x, int64_t x_stride, const uint8_t* xq, int64_t x_begin,
                 int64_t x_end, const uint8_t* w, int64_t w_stride, int64_t rows, int64_t columns,
                 int64_t w_begin, int64_t w_end, float* y, int64_t y_stride);
};

struct OpsTable {
  void (*quantize)(const float* x, int64_t x_stride, int64_t columns, uint8_t* target,
                   int64_t row_begin, int64_t row_end);
  void (*binary)(int32_t op, const float* a, const float* b, float* out, int64_t length);
  void (*unary)(int32_t op, const float* in, float* out, int64_t length);
  void (*gate)(int32_t op, float* gate, int64_t gate_stride, const float* up, int64_t up_stride,
               int64_t columns, int64_t row_begin, int64_t row_end);
  void (*scale)(float factor, const float* in, float* out, int64_t length);
  float (*dot)(const float* a, const float* b, int64_t length);
  void (*softmax)(const float* in, int64_t in_stride, int64_t columns, float* out,
                  int64_t out_stride, int64_t row_begin, int64_t row_end);
  void (*layer_norm)(const float* in, int64_t in_stride, int64_t columns, const float* weight,
                     const float* bias, float epsilon, float* out, int64_t out_stride,
                     int64_t row_begin, int64_t row_end);
  void (*rms_norm)(const float* in, int64_t in_stride, int64_t columns, const float* weight,
                   float epsilon, float* out, int64_t out_stride, int64_t row_begin,
                   int64_t row_end);
  void (*rope)(int32_t pairing, float* x, int64_t heads, int64_t head_dim, int64_t rotary_dim,
               const float* table);
};

struct AttentionTable {
  void (*store)(int32_t type, const float* k, int64_t k_stride, const float* v, int64_t v_stride,
                int64_t row_begin, int64_t row_end, int64_t position, const uint8_t* pages,
                int64_t key_offset, int64_t value_offset, int64_t head_dim, int64_t kv_head_begin,
                int64_t kv_head_end);
  void (*attend)(int32_t type, const float* q, int64_t q_stride, int64_t row_begin, int64_t row_end,
                 int64_t position, const uint8_t* pages, int64_t key_offset, int64_t value_offset,
                 int64_t head_dim, int64_t kv_head_begin, int64_t kv_head_end, int64_t group,
                 float scale, float soft_cap, int64_t window, float* out, int64_t out_stride);
};

#if defined(__x86_64__)
extern const MatmulTable kMatmulAvx2;
extern const MatmulTable kMatmulAvx512;
extern const MatmulTable kMatmulAvx512Bf16;
extern const MatmulTable kMatmulAvx512Amx;
extern const OpsTable kOpsAvx2;
extern const OpsTable kOpsAvx512;
extern const AttentionTable kAttentionAvx2;
extern const AttentionTable kAttentionAvx512;
#elif defined(__aarch64__)
extern const MatmulTable kMatmulNeon;
extern const MatmulTable kMatmulNeonDotprod;
extern const MatmulTable kMatmulNeonI8mm;
extern const OpsTable kOpsNeon;
extern const AttentionTable kAttentionNeon;
#endif

#endif
