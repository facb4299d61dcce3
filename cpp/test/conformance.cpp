/*
 * Every kernel of every instruction set that this machine supports, against plain loops. Where it
 * has AVX-512, also what surrounds the tiles of AMX, with those emulated.
 *
 * conformance [--exhaustive | --quick] [--only NAME] [--expect NAME]... [--without NAME]...
 *
 * --exhaustive tests functions of one value on all floats, --quick products on fewer shapes and
 * rows; --expect fails if the instruction set did not run, so that a skip can't look like a pass;
 * --without fails if it did.
 */

#include "conformance.h"

#if defined(__linux__)
#include <unistd.h>
#endif

#include <cstdio>
#include <cstring>

#include "check.h"
#include "smallmind.h"

namespace {

constexpr int32_t kLastIsa = SM_ISA_AVX512_AMX;

/* Memory is zeroed, aligned, and all there. */
void test_memory() {
  constexpr int64_t kHugePage = int64_t{2} << 20;
#if defined(_WIN32)
  constexpr int64_t kAlignment = int64_t{64} << 10;
#else
  constexpr int64_t kAlignment = kHugePage;
#endif
  for (int64_t bytes : {int64_t{1}, kHugePage, 3 * kHugePage + 5}) {
    const int64_t address = sm_map_memory(bytes);
    check(address != 0 && address % kAlignment == 0, "memory of %lld bytes",
          static_cast<long long>(bytes));
    uint8_t* memory = reinterpret_cast<uint8_t*>(static_cast<uintptr_t>(address));
    for (int64_t i : {int64_t{0}, bytes / 2, bytes - 1}) {
      check(memory[i] == 0 || i == 0, "byte %lld is zero", static_cast<long long>(i));
      memory[i] = 1;
    }
    sm_unmap_memory(address, bytes);
  }
  check(sm_map_memory(0) == 0 && sm_map_memory(INT64_MAX) == 0, "no such memory");
}

#if defined(__linux__)
/* The size of what this process has mapped. */
int64_t mapped_bytes() {
  long long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file != nullptr) {
    if (fscanf(file, "%lld", &pages) != 1) {
      pages = 0;
    }
    fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

/* Little more is mapped than what was asked for, and all of it is given back. */
void test_memory_size() {
  constexpr int64_t kMebibyte = int64_t{1} << 20;
  // An emulator maps some memory of its own meanwhile.
  mapped_bytes();
  for (int64_t bytes : {5 * kMebibyte / 2, 3 * kMebibyte, 33 * kMebibyte}) {
    const int64_t before = mapped_bytes();
    const int64_t address = sm_map_memory(bytes);
    const int64_t more = mapped_bytes() - before;
    check(more >= bytes && more <= bytes + bytes / 8 + kMebibyte, "%lld bytes take %lld",
          static_cast<long long>(bytes), static_cast<long long>(more));
    sm_unmap_memory(address, bytes);
    const int64_t left = mapped_bytes() - before;
    check(left <= kMebibyte, "of %lld bytes %lld stay mapped", static_cast<long long>(bytes),
          static_cast<long long>(left));
  }
}
#endif

/* Unknown names and unknown instruction sets are refused without harm. */
void test_unknown_isa() {
  for (int32_t isa : {-1, 0, kLastIsa + 1, 1 << 30}) {
    check(sm_isa_supported(isa) == -1, "isa %d is unknown", isa);
    check(sm_row_group(isa, 2) == 0, "isa %d has no row group", isa);
    check(sm_packed_bytes(isa, 2, 32, 32) == 0, "isa %d packs nothing", isa);
    check(sm_dot(isa, nullptr, nullptr, 10) == 0.0f, "isa %d multiplies nothing", isa);
    sm_pack(isa, 2, nullptr, 18, 1, 32, nullptr, 0, 1);
    sm_quantize(isa, nullptr, 0, 32, nullptr, 0, 1);
    sm_matmul(isa, 2, nullptr, 0, nullptr, 0, 1, nullptr, 0, 1, 32, 0, 1, nullptr, 0);
    sm_binary(isa, SM_BINARY_ADD, nullptr, nullptr, nullptr, 10);
    sm_unary(isa, SM_UNARY_RELU, nullptr, nullptr, 10);
    sm_gate(isa, SM_UNARY_RELU, nullptr, 0, nullptr, 0, 10, 0, 1);
    sm_scale(isa, 1.0f, nullptr, nullptr, 10);
    sm_softmax(isa, nullptr, 0, 10, nullptr, 0, 0, 1);
    sm_layer_norm(isa, nullptr, 0, 10, nullptr, nullptr, 0.0f, nullptr, 0, 0, 1);
    sm_rms_norm(isa, nullptr, 0, 10, nullptr, 0.0f, nullptr, 0, 0, 1);
    sm_rope(isa, SM_ROPE_HALVES, nullptr, 1, 10, 10, nullptr);
    sm_store_key_value(isa, 1, nullptr, 0, nullptr, 0, 0, 1, 0, nullptr, 0, 0, 32, 0, 1);
    sm_attention(isa, 1, nullptr, 0, 0, 1, 0, nullptr, 0, 0, 32, 0, 1, 1, 1.0f, 0.0f, 0, nullptr,
                 0);
  }
  check(sm_abi_version() == SM_ABI_VERSION, "ABI version");
}

bool known(const char* name) {
  for (int32_t isa = SM_ISA_AVX2; isa <= kLastIsa; isa++) {
    if (std::strcmp(name, isa_name(isa)) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  bool exhaustive = false;
  bool quick = false;
  const char* only = nullptr;
  for (int i = 1; i < argc; i++) {
    bool named = std::strcmp(argv[i], "--expect") == 0 || std::strcmp(argv[i], "--without") == 0 ||
                 std::strcmp(argv[i], "--only") == 0;
    if (named && i + 1 < argc && known(argv[i + 1])) {
      only = std::strcmp(argv[i], "--only") == 0 ? argv[i + 1] : only;
      i++;
    } else if (std::strcmp(argv[i], "--exhaustive") == 0) {
      exhaustive = true;
    } else if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else {
      std::printf("don't understand %s\n", argv[i]);
      return 2;
    }
  }

  test_memory();
#if defined(__linux__)
  test_memory_size();
#endif
  test_unknown_isa();
  bool ran[kLastIsa + 1] = {};
  for (int32_t isa = SM_ISA_AVX2; isa <= kLastIsa; isa++) {
    if (sm_isa_supported(isa) != 1 || (only && std::strcmp(only, isa_name(isa)) != 0)) {
      continue;
    }
    int64_t before = checked_cases();
    test_matmul(isa, quick);
    // The others have the functions of these.
    if (isa == SM_ISA_AVX2 || isa == SM_ISA_AVX512_VNNI || isa == SM_ISA_NEON) {
      test_ops(isa, exhaustive);
      test_attention(isa, quick);
    }
    ran[isa] = true;
    std::printf("ran %s: %lld cases\n", isa_name(isa),
                static_cast<long long>(checked_cases() - before));
  }

#if defined(__x86_64__)
  if (ran[SM_ISA_AVX512_VNNI]) {
    const int64_t before = checked_cases();
    test_matmul(kEmulatedTiles, true);
    std::printf("ran %s: %lld cases\n", isa_name(kEmulatedTiles),
                static_cast<long long>(checked_cases() - before));
  } else {
    std::printf("left out %s: needs avx512-vnni\n", isa_name(kEmulatedTiles));
  }
#endif

  for (int i = 1; i + 1 < argc; i++) {
    bool expected = std::strcmp(argv[i], "--expect") == 0;
    if (!expected && std::strcmp(argv[i], "--without") != 0) {
      continue;
    }
    for (int32_t isa = SM_ISA_AVX2; isa <= kLastIsa; isa++) {
      if (std::strcmp(argv[i + 1], isa_name(isa)) == 0) {
        check(ran[isa] == expected, "%s %s", isa_name(isa), expected ? "did not run" : "ran");
      }
    }
  }
  std::printf("%lld cases, %lld failed\n", static_cast<long long>(checked_cases()),
              static_cast<long long>(failed_cases()));
  return failed_cases() == 0 ? 0 : 1;
}
