/* The parts of the conformance test. */
#ifndef SMALLMIND_TEST_CONFORMANCE_H
#define SMALLMIND_TEST_CONFORMANCE_H

#include <cstdint>

/* Quantizes a row of activations as io.smallmind.kernels.Kernels defines it, into the layout of
 * activations.h. */
void reference_quantize(const float* x, int64_t columns, uint8_t* row);

/* AVX-512 with the tiles of AMX emulated: no instruction set of the library. */
constexpr int32_t kEmulatedTiles = 1000;

/* Tests the matmul of every format; quick: fewer shapes and rows, for emulated machines. */
void test_matmul(int32_t isa, bool quick);

/* Tests the operations; exhaustive: the functions of one value on all floats. */
void test_ops(int32_t isa, bool exhaustive);

/* Tests attention; quick: fewer shapes and rows. */
void test_attention(int32_t isa, bool quick);

#endif
