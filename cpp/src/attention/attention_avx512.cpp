// The vocabulary comes first: attention is written in it.
// clang-format off
#include "simd_avx512.h"
#include "attention/attention_impl.h"
// clang-format on

const AttentionTable kAttentionAvx512 = {store_key_value, attention};
