/* Counting of cases and failures, and memory that catches reads and writes out of bounds. */
#ifndef SMALLMIND_TEST_CHECK_H
#define SMALLMIND_TEST_CHECK_H

#include <cstddef>
#include <cstdint>
#include <random>

/* Counts a case; if it failed, prints the message, of printf's kind. */
void check(bool passed, const char* format, ...) __attribute__((format(printf, 2, 3)));

int64_t checked_cases();
int64_t failed_cases();

/* Pages of which the next after the last is out of bounds for the hardware. */
class Guarded {
 public:
  /* The memory ends at the guard page, or as near to it as the alignment of its begin lets. */
  explicit Guarded(size_t bytes, size_t alignment = 1);
  ~Guarded();
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  uint8_t* bytes() { return begin_; }
  float* floats() { return reinterpret_cast<float*>(begin_); }
  size_t size() const { return size_; }

  /* Whether the bytes before the begin, on its page, are as they were. */
  bool intact() const;

 private:
  uint8_t* pages_;
  size_t page_bytes_;
  uint8_t* begin_;
  size_t size_;
};

/* The same numbers in every run. */
using Random = std::mt19937;

inline float uniform(Random& random, float low, float high) {
  return low + (high - low) * static_cast<float>(random() >> 8) * 0x1p-24f;
}

const char* isa_name(int32_t isa);

#endif
