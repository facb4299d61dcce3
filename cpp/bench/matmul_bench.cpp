/*
 * Times matmul beside what the machine can do at most, measured in the same run.
 *
 *   matmul_bench [--isa N] [--types Q4_0,F16,...] [--shapes TOKENSxROWSxCOLUMNS,...]
 *                [--threads 1,2,...] [--seconds S] [--rotate MIB] [--calls N]
 *                [--weights packed|stored]
 *
 * Activations are quantized before. Weights rotate through more than 256 MiB, or as much as is
 * asked for, so that they come from memory. Per cent are those of the integer dot product (or F32
 * multiply-add) peak, and of the read bandwidth. Results are checked before timing. --calls
 * multiplies N times and measures nothing itself: for instruments outside.
 */

#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "harness.h"
#include "reference_inputs.h"
#include "smallmind.h"

namespace {

using reference::FormatInfo;

struct Shape {
  int64_t tokens;
  int64_t rows;
  int64_t columns;
};

void bench(int32_t isa, const FormatInfo& format, const Shape& shape, Team& team,
           const Limits& limits, double budget, int64_t rotate, int64_t calls, bool packed) {
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

  const int64_t packed_bytes =
      packed ? sm_packed_bytes(isa, format.type, shape.rows, shape.columns) : 0;
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
      if (std::strcmp(format.name, "BF16") == 0) {
        value = reference::round_bf16(x.floats()[t * shape.columns + k]);
      }
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

  const std::function<void()> call = [&] {
    team.run(task);
    copy = (copy + 1) % copies;
  };
  if (calls > 0) {
    for (int64_t i = 0; i < calls; i++) {
      call();
    }
    return;
  }
  const double time = median_time(budget, call);
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

int usage() {
  std::fprintf(stderr,
               "usage: matmul_bench [--isa N] [--types NAME,...] [--shapes TOKENSxROWSxCOLUMNS,...]"
               " [--threads N,...] [--seconds S] [--rotate MIB] [--calls N]"
               " [--weights packed|stored]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int32_t isa = best_isa();
  std::string types = "Q4_0,Q4_K,Q6_K,Q8_0";
  std::string shapes = "1x4096x4096,8x4096x4096,512x512x512,2048x2048x2048";
  std::string threads = "1,2";
  double budget = 0.3;
  int64_t rotate = 288;
  int64_t calls = 0;
  bool packed = true;
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
    } else if (option == "--calls") {
      calls = std::stoll(value);
    } else if (option == "--weights" && (value == "packed" || value == "stored")) {
      packed = value == "packed";
    } else {
      return usage();
    }
  }
  if (calls < 0 || rotate < 0 || !(budget > 0)) {
    return usage();
  }
  if (sm_isa_supported(isa) != 1) {
    std::fprintf(stderr, "instruction set %d can't run here\n", isa);
    return 2;
  }
  std::printf("instruction set %d\n", isa);
  for (const std::string& count : split(threads)) {
    Team team(std::stoi(count));
    Limits limits = {};
    if (calls == 0) {
      limits = measure_limits(isa, team);
      std::printf("%d threads: %.0f GFLOPS FMA, %.0f GOPS int8, %.1f GB/s read\n", team.size(),
                  limits.fma, limits.dot, limits.read);
    }
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
            bench(isa, format, shape, team, limits, budget, rotate << 20, calls, packed);
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
