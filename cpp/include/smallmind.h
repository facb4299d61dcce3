/*
 * The C interface of the native kernels: the one header that Java (through JavaCPP) and the C++
 * tests see.
 *
 * Every kernel is single-threaded over a range of rows, keeps no state and allocates nothing; no
 * function throws, aborts or prints. Arguments were validated by the caller. Pointers are raw
 * addresses: packed weights and quantized activations are aligned to 64 bytes, everything else to
 * its element. Strides are in bytes, leading dimensions and lengths in elements.
 *
 * `isa` names the instruction set to use (SM_ISA_...) and must be one for which sm_isa_supported
 * answers 1; `type` is the GGUF number of a tensor type. What each function computes is specified
 * by io.smallmind.kernels.Kernels and its scalar implementation.
 */
#ifndef SMALLMIND_H
#define SMALLMIND_H

#include <stdint.h>

#if defined(_WIN32)
#define SM_API __declspec(dllexport)
#else
#define SM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a signature, a packed layout or the meaning of an argument changes. */
#define SM_ABI_VERSION 6

#define SM_ISA_AVX2 1         /* AVX2, FMA, F16C */
#define SM_ISA_AVX512_VNNI 2  /* AVX-512 F, BW, DQ, VL, VNNI, and the above */
#define SM_ISA_NEON 3         /* Armv8.0 Advanced SIMD */
#define SM_ISA_NEON_DOTPROD 4 /* and the dot product of Armv8.2 */
#define SM_ISA_AVX512_BF16 5  /* SM_ISA_AVX512_VNNI, and the dot product of BF16 */
#define SM_ISA_NEON_I8MM 6    /* SM_ISA_NEON_DOTPROD, and the matrix product of bytes of Armv8.6 */
#define SM_ISA_AVX512_AMX 7   /* SM_ISA_AVX512_BF16, and the tile product of bytes (AMX-INT8) */

#define SM_BINARY_ADD 0
#define SM_BINARY_MULTIPLY 1

#define SM_UNARY_RELU 0
#define SM_UNARY_GELU_TANH 1
#define SM_UNARY_GELU_ERF 2
#define SM_UNARY_SILU 3
#define SM_UNARY_SIGMOID 4
#define SM_UNARY_TANH 5

#define SM_ROPE_ADJACENT 0
#define SM_ROPE_HALVES 1

#define SM_PAGE_LENGTH 64    /* positions in a page of keys and values */
#define SM_MAX_HEAD_DIM 4096 /* elements */

/* ---- what this library is, and what this machine can run */

SM_API int32_t sm_abi_version(void);

/* 1 if this library holds kernels for the instruction set and the CPU and the operating system
 * both support it; 0 if the library holds them but the machine does not; -1 if the library does
 * not hold them (another architecture). For SM_ISA_AVX512_AMX it asks Linux to let this process use
 * tiles, without which they can't be used. */
SM_API int32_t sm_isa_supported(int32_t isa);

/* ---- memory */

/* Returns the address of zeroed memory that begins at a multiple of 2 MiB (on Windows, 64 KiB) and,
 * where the system has them, lies on huge pages as it is touched, so that reading it takes few
 * translations of addresses; 0 if the system refuses. Freed by sm_unmap_memory with the same size.
 */
SM_API int64_t sm_map_memory(int64_t bytes);
SM_API void sm_unmap_memory(int64_t address, int64_t bytes);

/* Gives the whole pages of a range back to the system. It must be of a file's mapping that is only
 * read: what is read again comes from the system's cache, or from the file. */
SM_API void sm_drop_pages(int64_t address, int64_t bytes);

/* ---- y = x * dequant(W)^T */

/* Rows that pack and matmul must keep together. */
SM_API int32_t sm_row_group(int32_t isa, int32_t type);

/* Size of packed weights in bytes; 0 if this type is multiplied as stored. */
SM_API int64_t sm_packed_bytes(int32_t isa, int32_t type, int64_t rows, int64_t columns);

/* source: stored rows, row_stride bytes apart; target: the whole packed matrix. */
SM_API void sm_pack(int32_t isa, int32_t type, const uint8_t* source, int64_t row_stride,
                    int64_t rows, int64_t columns, uint8_t* target, int64_t row_begin,
                    int64_t row_end);

/* Size of a row of quantized activations in bytes: a multiple of 64, the same for every isa. */
SM_API int64_t sm_activation_row_bytes(int64_t columns);

/* x: (rows, columns) F32, x_stride bytes apart; target: rows of sm_activation_row_bytes. */
SM_API void sm_quantize(int32_t isa, const float* x, int64_t x_stride, int64_t columns,
                        uint8_t* target, int64_t row_begin, int64_t row_end);

/*
 * y[i][j] = sum over k of x[i][k] * w[j][k], i in [x_begin, x_end), j in [w_begin, w_end).
 *
 * x: F32 rows, x_stride bytes apart (read for float weights, and rounded to BF16 for those of that
 * type); xq: their quantized form (read for
 * quantized weights); w: packed weights, w_stride = 0, or stored ones, w_stride bytes apart.
 */
SM_API void sm_matmul(int32_t isa, int32_t type, const float* x, int64_t x_stride,
                      const uint8_t* xq, int64_t x_begin, int64_t x_end, const uint8_t* w,
                      int64_t w_stride, int64_t rows, int64_t columns, int64_t w_begin,
                      int64_t w_end, float* y, int64_t y_stride);

/* ---- element by element; out may be an input */

SM_API void sm_binary(int32_t isa, int32_t op, const float* a, const float* b, float* out,
                      int64_t length);
SM_API void sm_unary(int32_t isa, int32_t op, const float* in, float* out, int64_t length);
/* gate[i][j] = op(gate[i][j]) * up[i][j], j < columns. */
SM_API void sm_gate(int32_t isa, int32_t op, float* gate, int64_t gate_stride, const float* up,
                    int64_t up_stride, int64_t columns, int64_t row_begin, int64_t row_end);
SM_API void sm_scale(int32_t isa, float factor, const float* in, float* out, int64_t length);
SM_API float sm_dot(int32_t isa, const float* a, const float* b, int64_t length);

/* ---- row by row; out may be in */

SM_API void sm_softmax(int32_t isa, const float* in, int64_t in_stride, int64_t columns, float* out,
                       int64_t out_stride, int64_t row_begin, int64_t row_end);
SM_API void sm_layer_norm(int32_t isa, const float* in, int64_t in_stride, int64_t columns,
                          const float* weight, const float* bias, float epsilon, float* out,
                          int64_t out_stride, int64_t row_begin, int64_t row_end);
SM_API void sm_rms_norm(int32_t isa, const float* in, int64_t in_stride, int64_t columns,
                        const float* weight, float epsilon, float* out, int64_t out_stride,
                        int64_t row_begin, int64_t row_end);

/* x: (heads, head_dim), contiguous, in place; table: rotary_dim / 2 cosines, then the sines. */
SM_API void sm_rope(int32_t isa, int32_t pairing, float* x, int64_t heads, int64_t head_dim,
                    int64_t rotary_dim, const float* table);

/*
 * Attention. pages: the addresses of the pages, 64 bits each. A page holds SM_PAGE_LENGTH positions
 * of every head, (heads, positions, head_dim), each row encoded as `type`: F32, F16, or Q8_0 if
 * head_dim is a multiple of 32; head_dim is at most SM_MAX_HEAD_DIM. key_offset and value_offset
 * are those of head 0 in a page, in bytes. Row i stands at position + i - row_begin.
 */

/* k, v: (rows, kv heads, head_dim) F32. */
SM_API void sm_store_key_value(int32_t isa, int32_t type, const float* k, int64_t k_stride,
                               const float* v, int64_t v_stride, int64_t row_begin, int64_t row_end,
                               int64_t position, const uint8_t* pages, int64_t key_offset,
                               int64_t value_offset, int64_t head_dim, int64_t kv_head_begin,
                               int64_t kv_head_end);

/* q, out: (rows, kv heads, group, head_dim) F32; soft_cap, window: 0 for none. */
SM_API void sm_attention(int32_t isa, int32_t type, const float* q, int64_t q_stride,
                         int64_t row_begin, int64_t row_end, int64_t position, const uint8_t* pages,
                         int64_t key_offset, int64_t value_offset, int64_t head_dim,
                         int64_t kv_head_begin, int64_t kv_head_end, int64_t group, float scale,
                         float soft_cap, int64_t window, float* out, int64_t out_stride);

#ifdef __cplusplus
}
#endif

#endif
