/*
 * Times attention beside what the machine can do at most, measured in the same run.
 *
 *   attention_bench [--isa N] [--types F16,Q8_0,F32] [--shapes ROWSxCONTEXTxHEADSxKVHEADSxDIM,...]
 *                   [--threads 1,2,...] [--seconds S] [--layers N]
 *
 * The rows are the last ones of the context; threads take blocks of 32 rows and a key head in
 * turns. Calls go round the layers, so that with enough of them keys and values come from memory.
 * Per cent are those of the F32 multiply-add peak (4 * positions seen * head_dim operations for a
 * row and head), and of the read bandwidth (keys and values read once).
 */

#include <atomic>
#include <cmath>
#include <cstdio>
#include <string>

#include "harness.h"
#include "reference_formats.h"
#include "smallmind.h"

namespace {

struct Shape {
  int64_t rows;
  int64_t context;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
};

constexpr int64_t kBlockRows = 32;

uint32_t next_random(uint32_t* state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

void bench(int32_t isa, const reference::FormatInfo& format, const Shape& shape, Team& team,
           const Limits& limits, double budget, int64_t layers) {
  const int64_t row_bytes = shape.head_dim / format.block * format.bytes;
  const int64_t half = shape.kv_heads * SM_PAGE_LENGTH * row_bytes;  // a layer's keys in a page
  const int64_t page_bytes = 2 * half * layers;
  const int64_t pages = (shape.context + SM_PAGE_LENGTH - 1) / SM_PAGE_LENGTH;
  Buffer memory(pages * page_bytes);
  std::vector<uint64_t> table;
  for (int64_t page = 0; page < pages; page++) {
    table.push_back(reinterpret_cast<uint64_t>(memory.bytes() + page * page_bytes));
  }
  const uint8_t* addresses = reinterpret_cast<const uint8_t*>(table.data());
  const int64_t columns = shape.kv_heads * shape.head_dim;
  std::vector<float> x(static_cast<size_t>(shape.context * columns));
  uint32_t random = 1;
  for (float& value : x) {
    value = static_cast<float>(next_random(&random)) * 0x1p-23f - 1.0f;
  }
  for (int64_t layer = 0; layer < layers; layer++) {
    sm_store_key_value(isa, format.type, x.data(), columns * 4, x.data(), columns * 4, 0,
                       shape.context, 0, addresses, 2 * layer * half, (2 * layer + 1) * half,
                       shape.head_dim, 0, shape.kv_heads);
  }
  const int64_t width = shape.heads * shape.head_dim;
  Buffer q(shape.rows * width * 4);
  Buffer out(shape.rows * width * 4);
  for (int64_t i = 0; i < shape.rows * width; i++) {
    q.floats()[i] = static_cast<float>(next_random(&random)) * 0x1p-23f - 1.0f;
  }

  const int64_t position = shape.context - shape.rows;
  const int64_t blocks = (shape.rows + kBlockRows - 1) / kBlockRows;
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim));
  std::atomic<int64_t> claimed{0};
  int64_t layer = 0;
  const std::function<void(int)> task = [&](int) {
    for (int64_t unit = claimed++; unit < blocks * shape.kv_heads; unit = claimed++) {
      const int64_t head = unit % shape.kv_heads;
      const int64_t begin = (blocks - 1 - unit / shape.kv_heads) * kBlockRows;
      const int64_t end = std::min(shape.rows, begin + kBlockRows);
      sm_attention(isa, format.type, q.floats(), width * 4, begin, end, position + begin, addresses,
                   2 * layer * half, (2 * layer + 1) * half, shape.head_dim, head, head + 1,
                   shape.heads / shape.kv_heads, scale, 0.0f, 0, out.floats(), width * 4);
    }
  };
  const double time = median_time(budget, [&] {
    claimed = 0;
    team.run(task);
    layer = (layer + 1) % layers;
  });
  const double seen = static_cast<double>(shape.rows) *
                      (static_cast<double>(position) + 0.5 * static_cast<double>(shape.rows + 1));
  const double gflops = 4 * seen * static_cast<double>(width) / time * 1e-9;
  const double bandwidth =
      static_cast<double>(shape.context * 2 * shape.kv_heads * row_bytes) / time * 1e-9;
  std::printf("%-5s %4lld rows of %5lld, %3lld heads / %2lld x %3lld  %d threads %9.1f us",
              format.name, static_cast<long long>(shape.rows),
              static_cast<long long>(shape.context), static_cast<long long>(shape.heads),
              static_cast<long long>(shape.kv_heads), static_cast<long long>(shape.head_dim),
              team.size(), time * 1e6);
  std::printf(" %7.1f GFLOPS %5.1f %%  %6.1f GB/s %5.1f %%\n", gflops, 100 * gflops / limits.fma,
              bandwidth, 100 * bandwidth / limits.read);
  std::fflush(stdout);
}

int usage() {
  std::fprintf(stderr,
               "usage: attention_bench [--isa N] [--types NAME,...]"
               " [--shapes ROWSxCONTEXTxHEADSxKVHEADSxDIM,...] [--threads N,...] [--seconds S]"
               " [--layers N]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  int32_t isa = best_isa();
  std::string types = "F16,Q8_0";
  std::string shapes = "1x4096x32x8x64,512x512x32x8x64,512x4096x32x8x64,512x512x32x8x128";
  std::string threads = "1,2";
  double budget = 0.3;
  int64_t layers = 16;
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
    } else if (option == "--layers") {
      layers = std::stoll(value);
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
    const Limits limits = measure_limits(isa, team);
    std::printf("%d threads: %.0f GFLOPS FMA, %.1f GB/s read\n", team.size(), limits.fma,
                limits.read);
    for (const std::string& text : split(shapes)) {
      long long rows, context, heads, kv_heads, head_dim;
      if (std::sscanf(text.c_str(), "%lldx%lldx%lldx%lldx%lld", &rows, &context, &heads, &kv_heads,
                      &head_dim) != 5 ||
          rows > context || heads % kv_heads != 0) {
        return usage();
      }
      for (const std::string& name : split(types)) {
        for (const reference::FormatInfo& format : reference::kFormats) {
          if (name == format.name && head_dim % format.block == 0) {
            bench(isa, format, {rows, context, heads, kv_heads, head_dim}, team, limits, budget,
                  layers);
          }
        }
      }
    }
  }
  return 0;
}
