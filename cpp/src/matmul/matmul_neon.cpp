/* Matmul in Advanced SIMD of Armv8.0. */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/simd_neon.h"

const MatmulTable kMatmulNeon = Matmul<Neon>::table();
