/*
 * Times matmul beside what the machine can do at most, measured in the same run.
 *
 *   matmul_bench [--isa N] [--types Q4_0,F16,...] [--shapes TOKENSxROWSxCOLUMNS,...]
 *                [--threads 1,2,...] [--seconds S] [--rotate MIB]
 *
 * Activations are quantized before. Weights rotate through more than 256 MiB, or as much as is
 * asked for, so that they come from memory. Per cent are those of the integer dot product (or F32
 * multiply-add) peak, and of the read bandwidth. Results are checked before timing.
 */

#include <atomic>
#include <cfloat>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
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

#include "reference_inputs.h"
#include "smallmind.h"
#include "smallmind_limits.h"

namespace {

using reference::FormatInfo;

double seconds_now() {
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
double median_time(double budget, const std::function<void()>& call) {
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

Limits measure_limits(int32_t isa, Team& team) {
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

struct Shape {
  int64_t tokens;
  int64_t rows;
  int64_t columns;
};

void bench(int32_t isa, const FormatInfo& format, const Shape& shape, Team& team,
           const Limits& limits, double budget, int64_t rotate) {
  std::mt19937 random(7);
  const int64_t row_bytes = shape.columns / format.block * format.bytes;
  Buffer stored(row_bytes * shape.rows);
  reference::fill_weights(format, row_bytes / format.bytes * shape.rows, reference::Fill::kRandom,
                          random, stored.bytes());
  std::uniform_real_distribution<float> uniform(-1, 1);
  Buffer x(shape.tokens * shape.columns * 4);
  for (int64_t i = 0; i < shape.tokens * shape.columns; i++) {
    x.floats()[i] = uniform(random);
  }
  const int64_t xq_bytes = sm_activation_row_bytes(shape.columns);
  Buffer xq(shape.tokens * xq_bytes);
  for (int64_t t = 0; t < shape.tokens; t++) {
    reference::quantize(x.floats() + t * shape.columns, shape.columns, xq.bytes() + t * xq_bytes);
  }

  const int64_t packed_bytes = sm_packed_bytes(isa, format.type, shape.rows, shape.columns);
  const int64_t weight_bytes = packed_bytes > 0 ? packed_bytes : row_bytes * shape.rows;
  const int64_t spaced = round_up(weight_bytes, 4096);
  const int64_t copies = rotate / weight_bytes + 1;
  Buffer w(copies * spaced);
  for (int64_t c = 0; c < copies; c++) {
    if (packed_bytes > 0) {
      sm_pack(isa, format.type, stored.bytes(), row_bytes, shape.rows, shape.columns,
              w.bytes() + c * spaced, 0, shape.rows);
    } else {
      std::memcpy(w.bytes() + c * spaced, stored.bytes(), static_cast<size_t>(weight_bytes));
    }
  }

  const int64_t group = sm_row_group(isa, format.type);
  const int64_t groups = (shape.rows + group - 1) / group;
  Buffer y(shape.tokens * shape.rows * 4);
  int64_t copy = 0;
  const std::function<void(int)> task = [&](int index) {
    int64_t begin = groups * index / team.size() * group;
    int64_t end = std::min(shape.rows, groups * (index + 1) / team.size() * group);
    sm_matmul(isa, format.type, x.floats(), shape.columns * 4, xq.bytes(), 0, shape.tokens,
              w.bytes() + copy * spaced, packed_bytes > 0 ? 0 : row_bytes, shape.rows,
              shape.columns, begin, end, y.floats(), shape.rows * 4);
  };
  team.run(task);
  for (int probe = 0; probe < 100; probe++) {
    const int64_t t = static_cast<int64_t>(random()) % shape.tokens;
    const int64_t row = static_cast<int64_t>(random()) % shape.rows;
    double sum = 0;
    double magnitude = 0;
    for (int64_t k = 0; k < shape.columns; k++) {
      double value = x.floats()[t * shape.columns + k];
      if (format.quantized) {
        const uint8_t* a = xq.bytes() + t * xq_bytes;
        float d;
        std::memcpy(&d, a + activation_scales_offset(shape.columns) + k / 32 * 4, 4);
        value = static_cast<double>(d) * static_cast<int8_t>(a[k]);
      }
      value *= reference::value(format.type,
                                stored.bytes() + row * row_bytes + k / format.block * format.bytes,
                                static_cast<int>(k % format.block));
      sum += value;
      magnitude += std::fabs(value);
    }
    if (!(std::fabs(y.floats()[t * shape.rows + row] - sum) <=
          magnitude * static_cast<double>(shape.columns) * FLT_EPSILON)) {
      std::printf("%s: wrong result at (%lld, %lld)\n", format.name, static_cast<long long>(t),
                  static_cast<long long>(row));
      std::exit(1);
    }
  }

  const double time = median_time(budget, [&] {
    team.run(task);
    copy = (copy + 1) % copies;
  });
  const double operations = 2.0 * static_cast<double>(shape.tokens * shape.rows * shape.columns);
  const double gflops = operations / time * 1e-9;
  const double bandwidth = static_cast<double>(weight_bytes) / time * 1e-9;
  const double peak = format.quantized ? limits.dot : limits.fma;
  std::printf("%-7s %5lld x %5lld x %5lld  %d threads %9.1f us %8.1f GFLOPS %5.1f %%", format.name,
              static_cast<long long>(shape.tokens), static_cast<long long>(shape.rows),
              static_cast<long long>(shape.columns), team.size(), time * 1e6, gflops,
              100 * gflops / peak);
  std::printf("  %5.1f GB/s %5.1f %%\n", bandwidth, 100 * bandwidth / limits.read);
  std::fflush(stdout);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

int usage() {
  std::fprintf(stderr,
               "usage: matmul_bench [--isa N] [--types NAME,...] [--shapes TOKENSxROWSxCOLUMNS,...]"
               " [--threads N,...] [--seconds S] [--rotate MIB]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int32_t isa = 0;
  for (int32_t candidate = SM_ISA_AVX2; candidate <= SM_ISA_NEON_DOTPROD; candidate++) {
    isa = sm_isa_supported(candidate) == 1 ? candidate : isa;
  }
  std::string types = "Q4_0,Q4_K,Q6_K,Q8_0";
  std::string shapes = "1x4096x4096,8x4096x4096,512x512x512,2048x2048x2048";
  std::string threads = "1,2";
  double budget = 0.3;
  int64_t rotate = 288;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) {
      return usage();
    }
    const std::string value = argv[i + 1];
    if (option == "--isa") {
      isa = std::stoi(value);
    } else if (option == "--types") {
      types = value;
    } else if (option == "--shapes") {
      shapes = value;
    } else if (option == "--threads") {
      threads = value;
    } else if (option == "--seconds") {
      budget = std::stod(value);
    } else if (option == "--rotate") {
      rotate = std::stoll(value);
    } else {
      return usage();
    }
  }
  if (sm_isa_supported(isa) != 1) {
    std::fprintf(stderr, "instruction set %d can't run here\n", isa);
    return 2;
  }
  std::printf("instruction set %d\n", isa);
  for (const std::string& count : split(threads)) {
    Team team(std::stoi(count));
    Limits limits = measure_limits(isa, team);
    std::printf("%d threads: %.0f GFLOPS FMA, %.0f GOPS int8, %.1f GB/s read\n", team.size(),
                limits.fma, limits.dot, limits.read);
    for (const std::string& text : split(shapes)) {
      Shape shape;
      long long tokens, rows, columns;
      if (std::sscanf(text.c_str(), "%lldx%lldx%lld", &tokens, &rows, &columns) != 3) {
        return usage();
      }
      shape = {tokens, rows, columns};
      for (const std::string& name : split(types)) {
        bool known = false;
        for (const FormatInfo& format : reference::kFormats) {
          if (name == format.name) {
            known = true;
            if (columns % format.block != 0) {
              std::printf("%-7s needs columns in multiples of %lld\n", format.name,
                          static_cast<long long>(format.block));
              continue;
            }
            bench(isa, format, shape, team, limits, budget, rotate << 20);
          }
        }
        if (!known) {
          return usage();
        }
      }
    }
  }
  return 0;
}
