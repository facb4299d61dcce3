/* The matmul of AMX with emulated tiles, for processors that have AVX-512 only. */

#define SM_EMULATED_TILES
#define kMatmulAvx512Amx kMatmulEmulatedTiles
#include "matmul/matmul_avx512_amx.cpp"
