/* Which instruction sets this machine can run: the CPU must have them, and the operating system
 * must save their registers. */

#include "processor.h"
#include "smallmind.h"

#if defined(__x86_64__)

#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

struct CpuId {
  uint32_t eax, ebx, ecx, edx;
};

CpuId cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuId id = {};
  __cpuid_count(leaf, subleaf, id.eax, id.ebx, id.ecx, id.edx);
  return id;
}

/* Register states that the operating system saves: the low half of XCR0. */
uint32_t enabled_states() {
  uint32_t low;
  uint32_t high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool is_intel() {
  constexpr uint32_t kGenu = 0x756e6547;  // the first four letters of GenuineIntel
  return cpuid(0, 0).ebx == kGenu;
}

constexpr uint32_t bit(int n) { return 1u << n; }

constexpr bool has(uint32_t flags, uint32_t wanted) { return (flags & wanted) == wanted; }

/* Bit numbers are those of the Intel manual, volume 2A, CPUID, and volume 1, 13.3. */
constexpr uint32_t kLeaf1EcxAvx2 =
    bit(12) | bit(27) | bit(28) | bit(29);  // FMA, OSXSAVE, AVX, F16C
constexpr uint32_t kLeaf7EbxAvx2 = bit(5);
constexpr uint32_t kLeaf7EbxAvx512 = bit(16) | bit(17) | bit(30) | bit(31);  // F, DQ, BW, VL
constexpr uint32_t kLeaf7EcxVnni = bit(11);
constexpr uint32_t kLeaf7EdxAmx = bit(24) | bit(25);  // TILE, INT8
constexpr uint32_t kLeaf7Sub1EaxBf16 = bit(5);
constexpr uint32_t kStatesYmm = bit(1) | bit(2);                        // xmm, upper ymm
constexpr uint32_t kStatesZmm = kStatesYmm | bit(5) | bit(6) | bit(7);  // masks, zmm
constexpr uint32_t kStatesTiles = kStatesZmm | bit(17) | bit(18);       // their shapes, their data

/* Linux lets only processes use tiles that have asked to, since tiles enlarge what is saved of a
 * thread (Documentation/arch/x86/xstate.rst). All threads may from then on. */
bool may_use_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

const bool kIntelProcessor = is_intel();

int32_t sm_isa_supported(int32_t isa) {
  if (isa != SM_ISA_AVX2 && isa != SM_ISA_AVX512_VNNI && isa != SM_ISA_AVX512_BF16 &&
      isa != SM_ISA_AVX512_AMX) {
    return -1;
  }
  if (cpuid(0, 0).eax < 7 || !has(cpuid(1, 0).ecx, kLeaf1EcxAvx2)) {
    return 0;
  }
  CpuId features = cpuid(7, 0);
  uint32_t states = enabled_states();
  if (!has(features.ebx, kLeaf7EbxAvx2) || !has(states, kStatesYmm)) {
    return 0;
  }
  if (isa == SM_ISA_AVX2) {
    return 1;
  }
  if (!has(features.ebx, kLeaf7EbxAvx512) || !has(features.ecx, kLeaf7EcxVnni) ||
      !has(states, kStatesZmm)) {
    return 0;
  }
  // The subleaf is there if subleaf 0 says so.
  if (isa == SM_ISA_AVX512_VNNI) {
    return 1;
  }
  if (features.eax < 1 || !has(cpuid(7, 1).eax, kLeaf7Sub1EaxBf16)) {
    return 0;
  }
  return isa == SM_ISA_AVX512_BF16 ||
         (has(features.edx, kLeaf7EdxAmx) && has(states, kStatesTiles) && may_use_tiles());
}

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

int32_t sm_isa_supported(int32_t isa) {
  unsigned long features = getauxval(AT_HWCAP);
  switch (isa) {
    case SM_ISA_NEON:
      return (features & HWCAP_ASIMD) != 0;
    case SM_ISA_NEON_DOTPROD:
      return (features & HWCAP_ASIMD) != 0 && (features & HWCAP_ASIMDDP) != 0;
    case SM_ISA_NEON_I8MM:
      return sm_isa_supported(SM_ISA_NEON_DOTPROD) == 1 &&
             (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
    default:
      return -1;
  }
}

#else

#error "no way to ask this system for its CPU's features"

#endif
