/* Threads, memory, clocks and limits for the micro-benchmarks. */
#ifndef SMALLMIND_BENCH_HARNESS_H
#define SMALLMIND_BENCH_HARNESS_H

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "smallmind.h"
#include "smallmind_limits.h"

namespace {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/* Threads that wait spinning for a task and all run it. */
class Team {
 public:
  explicit Team(int size) : size_(size) {
    for (int i = 1; i < size; i++) {
      threads_.emplace_back([this, i] { work(i); });
    }
  }
  ~Team() {
    stop_ = true;
    started_++;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  void run(const std::function<void(int)>& task) {
    task_ = &task;
    finished_ = 0;
    started_++;
    task(0);
    while (finished_ < size_ - 1) {
      pause();
    }
  }
  int size() const { return size_; }

 private:
  static void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }
  void work(int index) {
    for (int round = 1;; round++) {
      while (started_ < round) {
        pause();
      }
      if (stop_) {
        return;
      }
      (*task_)(index);
      finished_++;
    }
  }

  int size_;
  std::vector<std::thread> threads_;
  const std::function<void(int)>* task_ = nullptr;
  std::atomic<int> started_{0};
  std::atomic<int> finished_{0};
  std::atomic<bool> stop_{false};
};

/* Zeroed memory on huge pages, if they can be had. */
class Buffer {
 public:
  explicit Buffer(int64_t bytes) {
    constexpr size_t kHuge = size_t{2} << 20;
    size_t size = (static_cast<size_t>(bytes) + kHuge - 1) / kHuge * kHuge;
    data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kHuge, size)));
#if defined(__linux__)
    madvise(data_.get(), size, MADV_HUGEPAGE);
#endif
    std::memset(data_.get(), 0, size);
  }
  uint8_t* bytes() { return data_.get(); }
  float* floats() { return reinterpret_cast<float*>(data_.get()); }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t, Free> data_;
};

/* The median time of a call, in seconds. */
inline double median_time(double budget, const std::function<void()>& call) {
  call();
  std::vector<double> times;
  double begin = seconds_now();
  do {
    double start = seconds_now();
    call();
    times.push_back(seconds_now() - start);
  } while (seconds_now() - begin < budget || times.size() < 5);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

struct Limits {
  double fma;   // GFLOPS
  double dot;   // GOPS
  double read;  // GB/s
};

inline Limits measure_limits(int32_t isa, Team& team) {
  Limits limits;
  constexpr int64_t kRounds = 1000 * 1000;
  double operations = 0;
  double time = median_time(0.1, [&] {
    team.run([&](int index) {
      double done = sm_limit_fma(isa, kRounds);
      if (index == 0) {
        operations = done * team.size();
      }
    });
  });
  limits.fma = operations / time * 1e-9;
  time = median_time(0.1, [&] {
    team.run([&](int index) {
      double done = sm_limit_int8_dot(isa, kRounds);
      if (index == 0) {
        operations = done * team.size();
      }
    });
  });
  limits.dot = operations / time * 1e-9;
  constexpr int64_t kBytes = int64_t{512} << 20;
  static Buffer memory(kBytes);
  const int64_t share = kBytes / team.size() / 512 * 512;
  std::atomic<int64_t> checksum{0};
  time = median_time(0.5, [&] {
    team.run(
        [&](int index) { checksum += sm_limit_read(isa, memory.bytes() + index * share, share); });
  });
  limits.read = static_cast<double>(share * team.size()) / time * 1e-9;
  return limits;
}

/* The best instruction set that this machine can run. */
inline int32_t best_isa() {
  int32_t isa = 0;
  for (int32_t candidate = SM_ISA_AVX2; candidate <= SM_ISA_AVX512_AMX; candidate++) {
    isa = sm_isa_supported(candidate) == 1 ? candidate : isa;
  }
  return isa;
}

inline std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

#endif
