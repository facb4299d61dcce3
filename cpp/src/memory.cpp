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

#if !defined(_WIN32)
/* The largest of small pages that these systems are built with. */
constexpr size_t kSmallPage = size_t{64} << 10;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/* What is mapped for so many bytes: whole huge pages if that wastes little, else small ones behind
 * the last whole one, so that a cache's pages of 2.5 MiB don't take 4. */
size_t mapped_size(int64_t bytes) {
  const size_t exact = static_cast<size_t>(bytes);
  const size_t huge = round_up(exact, kHugePage);
  return huge - exact <= exact / 8 ? huge : round_up(exact, kSmallPage);
}
#endif

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

/* Takes pages that are not locked out of the process's working set, and says that it is an error.
 */
void sm_drop_pages(int64_t address, int64_t bytes) {
  if (bytes > 0) {
    VirtualUnlock(reinterpret_cast<void*>(static_cast<intptr_t>(address)),
                  static_cast<size_t>(bytes));
  }
}

#else

int64_t sm_map_memory(int64_t bytes) {
  if (bytes <= 0 || bytes > INT64_MAX - 2 * static_cast<int64_t>(kHugePage)) {
    return 0;
  }
  const size_t size = mapped_size(bytes);
  // One huge page more than needed, so that there is a multiple of its size to begin at.
  void* memory =
      mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return 0;
  }
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t aligned = round_up(begin, kHugePage);
  if (aligned > begin) {
    munmap(memory, aligned - begin);
  }
  if (begin + kHugePage > aligned) {
    munmap(reinterpret_cast<void*>(aligned + size), begin + kHugePage - aligned);
  }
#if defined(MADV_HUGEPAGE)
  // Where it is refused, small pages do.
  madvise(reinterpret_cast<void*>(aligned), size / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return static_cast<int64_t>(aligned);
}

void sm_unmap_memory(int64_t address, int64_t bytes) {
  munmap(reinterpret_cast<void*>(static_cast<uintptr_t>(address)), mapped_size(bytes));
}

void sm_drop_pages(int64_t address, int64_t bytes) {
  if (bytes <= 0) {
    return;
  }
  const uintptr_t begin = round_up(static_cast<uintptr_t>(address), kSmallPage);
  const uintptr_t end =
      (static_cast<uintptr_t>(address) + static_cast<uintptr_t>(bytes)) / kSmallPage * kSmallPage;
  if (begin < end) {
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

#endif
}
