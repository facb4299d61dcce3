/* Memory for weights and caches, straight from the operating system. */
#include <stddef.h>
#include <stdint.h>

#include "smallmind.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace {

/* What huge pages measure, and begin at multiples of, on the systems that have them. */
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

extern "C" {

#if defined(_WIN32)

int64_t sm_map_memory(int64_t bytes) {
  if (bytes <= 0) {
    return 0;
  }
  void* memory =
      VirtualAlloc(nullptr, static_cast<size_t>(bytes), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(memory));
}

void sm_unmap_memory(int64_t address, int64_t /* bytes */) {
  VirtualFree(reinterpret_cast<void*>(static_cast<intptr_t>(address)), 0, MEM_RELEASE);
}

#else

int64_t sm_map_memory(int64_t bytes) {
  if (bytes <= 0 || bytes > INT64_MAX - 2 * static_cast<int64_t>(kHugePage)) {
    return 0;
  }
  const size_t size = (static_cast<size_t>(bytes) + kHugePage - 1) / kHugePage * kHugePage;
  // One huge page more than needed, so that there is a multiple of its size to begin at.
  void* memory =
      mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return 0;
  }
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t aligned = (begin + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned > begin) {
    munmap(memory, aligned - begin);
  }
  if (begin + kHugePage > aligned) {
    munmap(reinterpret_cast<void*>(aligned + size), begin + kHugePage - aligned);
  }
#if defined(MADV_HUGEPAGE)
  // Where it is refused, small pages do.
  madvise(reinterpret_cast<void*>(aligned), size, MADV_HUGEPAGE);
#endif
  return static_cast<int64_t>(aligned);
}

void sm_unmap_memory(int64_t address, int64_t bytes) {
  const size_t size = (static_cast<size_t>(bytes) + kHugePage - 1) / kHugePage * kHugePage;
  munmap(reinterpret_cast<void*>(static_cast<uintptr_t>(address)), size);
}

#endif
}
