/* Every function refuses an unknown instruction set without harm. */

#include <cstdio>
#include <initializer_list>

#include "smallmind.h"

int main() {
  int failures = 0;
  for (int32_t isa : {-1, 0, 5, 1 << 30}) {
    failures += sm_isa_supported(isa) != -1;
    failures += sm_row_group(isa, 2) != 0;
    failures += sm_packed_bytes(isa, 2, 32, 32) != 0;
    failures += sm_dot(isa, nullptr, nullptr, 10) != 0.0f;
    sm_pack(isa, 2, nullptr, 18, 1, 32, nullptr, 0, 1);
    sm_quantize(isa, nullptr, 0, 32, nullptr, 0, 1);
    sm_matmul(isa, 2, nullptr, 0, nullptr, 0, 1, nullptr, 0, 1, 32, 0, 1, nullptr, 0);
    sm_binary(isa, SM_BINARY_ADD, nullptr, nullptr, nullptr, 10);
    sm_unary(isa, SM_UNARY_RELU, nullptr, nullptr, 10);
    sm_scale(isa, 1.0f, nullptr, nullptr, 10);
    sm_softmax(isa, nullptr, 0, 10, nullptr, 0, 0, 1);
    sm_layer_norm(isa, nullptr, 0, 10, nullptr, nullptr, 0.0f, nullptr, 0, 0, 1);
    sm_rms_norm(isa, nullptr, 0, 10, nullptr, 0.0f, nullptr, 0, 0, 1);
    sm_rope(isa, SM_ROPE_HALVES, nullptr, 1, 10, 10, nullptr);
  }
  failures += sm_abi_version() != SM_ABI_VERSION;
  for (int32_t isa = SM_ISA_AVX2; isa <= SM_ISA_NEON_DOTPROD; isa++) {
    std::printf("isa %d: %d\n", isa, sm_isa_supported(isa));
  }
  return failures == 0 ? 0 : 1;
}
