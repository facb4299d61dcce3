#include "check.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "conformance.h"
#include "smallmind.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace {

constexpr uint8_t kCanary = 0xA5;
constexpr int kFailuresPrinted = 40;

int64_t cases = 0;
int64_t failures = 0;

#if defined(_WIN32)
size_t page_size() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}

uint8_t* map_pages(size_t bytes, size_t guard) {
  void* pages = VirtualAlloc(nullptr, bytes + guard, MEM_RESERVE, PAGE_NOACCESS);
  return static_cast<uint8_t*>(VirtualAlloc(pages, bytes, MEM_COMMIT, PAGE_READWRITE));
}

void unmap_pages(uint8_t* pages, size_t) { VirtualFree(pages, 0, MEM_RELEASE); }
#else
size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

uint8_t* map_pages(size_t bytes, size_t guard) {
  void* pages =
      mmap(nullptr, bytes + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED ||
      mprotect(static_cast<uint8_t*>(pages) + bytes, guard, PROT_NONE) != 0) {
    return nullptr;
  }
  return static_cast<uint8_t*>(pages);
}

void unmap_pages(uint8_t* pages, size_t bytes) { munmap(pages, bytes); }
#endif

}  // namespace

void check(bool passed, const char* format, ...) {
  cases++;
  if (passed) {
    return;
  }
  failures++;
  if (failures <= kFailuresPrinted) {
    va_list arguments;
    va_start(arguments, format);
    std::printf("FAILED: ");
    std::vprintf(format, arguments);
    std::printf("\n");
    va_end(arguments);
  }
}

int64_t checked_cases() { return cases; }

int64_t failed_cases() { return failures; }

Guarded::Guarded(size_t bytes, size_t alignment) : size_(bytes) {
  const size_t page = page_size();
  const size_t aligned = (bytes + alignment - 1) / alignment * alignment;
  page_bytes_ = (aligned / page + 1) * page;
  pages_ = map_pages(page_bytes_, page);
  if (pages_ == nullptr) {
    std::printf("no memory for a test of %lld bytes\n", static_cast<long long>(bytes));
    std::abort();
  }
  begin_ = pages_ + page_bytes_ - aligned;
  std::memset(pages_, kCanary, static_cast<size_t>(begin_ - pages_));
}

Guarded::~Guarded() { unmap_pages(pages_, page_bytes_ + page_size()); }

bool Guarded::intact() const {
  for (const uint8_t* p = pages_; p < begin_; p++) {
    if (*p != kCanary) {
      return false;
    }
  }
  return true;
}

const char* isa_name(int32_t isa) {
  switch (isa) {
    case SM_ISA_AVX2:
      return "avx2";
    case SM_ISA_AVX512_VNNI:
      return "avx512-vnni";
    case SM_ISA_AVX512_BF16:
      return "avx512-bf16";
    case SM_ISA_AVX512_AMX:
      return "avx512-amx";
    case kEmulatedTiles:
      return "emulated-tiles";
    case SM_ISA_NEON:
      return "neon";
    case SM_ISA_NEON_DOTPROD:
      return "neon-dotprod";
    case SM_ISA_NEON_I8MM:
      return "neon-i8mm";
    default:
      return "unknown";
  }
}
