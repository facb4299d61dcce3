/* Matmul in AVX2. */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/simd_avx2.h"

const MatmulTable kMatmulAvx2 = Matmul<Avx2>::table();
