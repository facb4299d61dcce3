// The vocabulary comes first: attention is written in it.
// clang-format off
#include "simd_neon.h"
#include "attention/attention_impl.h"
// clang-format on

const AttentionTable kAttentionNeon = {store_key_value, attention};
