/* Matmul in Advanced SIMD with the dot product of Armv8.2. */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/simd_neon.h"

const MatmulTable kMatmulNeonDotprod = Matmul<NeonDotprod>::table();
