/* Matmul in AVX-512 with VNNI. */

#include "kernel_table.h"
#include "matmul/matmul_impl.h"
#include "matmul/stored_avx512.h"

const MatmulTable kMatmulAvx512 = Matmul<Avx512>::table();
