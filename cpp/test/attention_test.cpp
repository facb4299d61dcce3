/* Attention and the storing of keys and values, against plain loops in double precision. */

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "check.h"
#include "conformance.h"
#include "reference_formats.h"
#include "smallmind.h"

namespace {

constexpr double kRoundoff = 0x1p-24;
constexpr int64_t kGap = 3;  // values between rows of queries, and of results

struct Shape {
  int32_t type;
  int64_t head_dim;
  int64_t kv_heads;
  int64_t group;
  int64_t position;  // of the first row
  int64_t rows;
  int64_t window;
  float soft_cap;
};

const reference::FormatInfo& format_of(int32_t type) {
  for (const reference::FormatInfo& format : reference::kFormats) {
    if (format.type == type) {
      return format;
    }
  }
  std::abort();
}

/* Keys and values of one layer, each page up to a guard page; what is not stored is NaN. */
class Pages {
 public:
  Pages(const Shape& shape, Random& random)
      : shape_(shape),
        row_bytes_(shape.head_dim / format_of(shape.type).block * format_of(shape.type).bytes),
        positions_(shape.position + shape.rows) {
    const int64_t head_bytes = SM_PAGE_LENGTH * row_bytes_;
    value_offset_ = shape.kv_heads * head_bytes;
    for (int64_t at = 0; at < positions_; at += SM_PAGE_LENGTH) {
      pages_.push_back(std::make_unique<Guarded>(2 * value_offset_));
      std::memset(pages_.back()->bytes(), 0xff, pages_.back()->size());
      table_.push_back(reinterpret_cast<uint64_t>(pages_.back()->bytes()));
    }
    keys = matrix(random, 2);
    values = matrix(random, 1);
    // A value beside which all others vanish must not reach those who don't see it.
    values[values.size() - 1] = 60000;
  }

  std::vector<float> matrix(Random& random, float size) const {
    std::vector<float> x(static_cast<size_t>(positions_ * columns()));
    for (float& value : x) {
      value = uniform(random, -size, size);
    }
    return x;
  }

  int64_t columns() const { return shape_.kv_heads * shape_.head_dim; }

  void store(int32_t isa, int64_t begin, int64_t end) {
    sm_store_key_value(isa, shape_.type, keys.data(), columns() * 4, values.data(), columns() * 4,
                       begin, end, begin, table(), 0, value_offset_, shape_.head_dim, 0,
                       shape_.kv_heads);
  }

  /* The address of a stored row. */
  const uint8_t* row(bool value, int64_t position, int64_t head) const {
    return pages_[static_cast<size_t>(position / SM_PAGE_LENGTH)]->bytes() +
           (value ? value_offset_ : 0) +
           (head * SM_PAGE_LENGTH + position % SM_PAGE_LENGTH) * row_bytes_;
  }
  double stored(bool value, int64_t position, int64_t head, int64_t i) const {
    const reference::FormatInfo& format = format_of(shape_.type);
    return reference::value(format.type,
                            row(value, position, head) + i / format.block * format.bytes,
                            static_cast<int>(i % format.block));
  }

  const uint8_t* table() const { return reinterpret_cast<const uint8_t*>(table_.data()); }
  int64_t value_offset() const { return value_offset_; }
  bool intact() const {
    return std::all_of(pages_.begin(), pages_.end(), [](auto& page) { return page->intact(); });
  }

  std::vector<float> keys;
  std::vector<float> values;

 private:
  Shape shape_;
  int64_t row_bytes_;
  int64_t positions_;
  int64_t value_offset_;
  std::vector<std::unique_ptr<Guarded>> pages_;
  std::vector<uint64_t> table_;
};

/* The nearest values that a format has: each error is at most half a step. */
void check_stored(int32_t isa, const Shape& shape, const Pages& pages, int64_t position) {
  bool good = true;
  for (int64_t head = 0; head < shape.kv_heads; head++) {
    for (bool value : {false, true}) {
      const float* x = (value ? pages.values : pages.keys).data() + position * pages.columns() +
                       head * shape.head_dim;
      for (int64_t i = 0; i < shape.head_dim; i++) {
        float most = 0;
        for (int64_t k = i / 32 * 32; k < std::min(shape.head_dim, i / 32 * 32 + 32); k++) {
          most = std::fmax(most, std::fabs(x[k]));
        }
        // Q8_0: half a quant; its scale is rounded to F16, which the quants don't know.
        const double step = shape.type == 8   ? most / 127.0 * (0.5 + 127 * 0x1p-11 + 1e-4)
                            : shape.type == 1 ? std::fabs(x[i]) * 0x1p-11 + 0x1p-25
                                              : 0;
        good &=
            std::fabs(pages.stored(value, position, head, i) - static_cast<double>(x[i])) <= step;
      }
    }
  }
  check(good, "%s store: type %d head_dim %lld position %lld", isa_name(isa), shape.type,
        static_cast<long long>(shape.head_dim), static_cast<long long>(position));
}

struct Queries {
  Queries(const Shape& shape, Random& random)
      : columns(shape.kv_heads * shape.group * shape.head_dim),
        stride((columns + kGap) * 4),
        memory(static_cast<size_t>(shape.rows * stride - kGap * 4)) {
    for (size_t i = 0; i < memory.size() / 4; i++) {
      memory.floats()[i] = uniform(random, -2, 2);
    }
  }
  int64_t columns;
  int64_t stride;
  Guarded memory;
};

constexpr float kUntouched = -12345.0f;

struct Results {
  explicit Results(const Queries& q) : stride(q.stride), memory(q.memory.size()) {
    for (size_t i = 0; i < memory.size() / 4; i++) {
      memory.floats()[i] = kUntouched;
    }
  }
  const float* row(int64_t i) { return memory.floats() + i * stride / 4; }
  int64_t stride;
  Guarded memory;
};

float scale_of(const Shape& shape) { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

void attend(int32_t isa, const Shape& shape, const Pages& pages, Queries& q, Results& out,
            int64_t row_begin, int64_t row_end, int64_t head_begin, int64_t head_end) {
  sm_attention(isa, shape.type, q.memory.floats(), q.stride, row_begin, row_end,
               shape.position + row_begin, pages.table(), 0, pages.value_offset(), shape.head_dim,
               head_begin, head_end, shape.group, scale_of(shape), shape.soft_cap, shape.window,
               out.memory.floats(), out.stride);
}

/* One head of one row; the largest error that rounding may make of it goes to `tolerance`. */
void attend_exactly(const Shape& shape, const Pages& pages, const float* q, int64_t row,
                    int64_t kv_head, std::vector<double>* out, std::vector<double>* tolerance) {
  const int64_t position = shape.position + row;
  const int64_t begin = shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
  const double dim = static_cast<double>(shape.head_dim);
  std::vector<double> scores;
  double max = -std::numeric_limits<double>::infinity();
  double error = 0;  // of a score
  for (int64_t at = begin; at <= position; at++) {
    double score = 0;
    double magnitude = 0;
    for (int64_t i = 0; i < shape.head_dim; i++) {
      double term = static_cast<double>(q[i]) * pages.stored(false, at, kv_head, i);
      score += term;
      magnitude += std::fabs(term);
    }
    const double scale = static_cast<double>(scale_of(shape));
    score *= scale;
    error = std::fmax(error, (4 * std::sqrt(dim) + 8) * kRoundoff * magnitude * scale);
    if (shape.soft_cap > 0) {
      const double cap = static_cast<double>(shape.soft_cap);
      score = cap * std::tanh(score / cap);
      error = std::fmax(error, 8 * kRoundoff * cap);
    }
    scores.push_back(score);
    max = std::fmax(max, score);
  }
  double sum = 0;
  double widest = 0;
  for (double& score : scores) {
    widest = std::fmax(widest, max - score);
    score = std::exp(score - max);
    sum += score;
  }
  const double count = static_cast<double>(scores.size());
  // Errors of a score and of its distance to the maximum change weight and sum by that factor.
  const double factor = 2 * error + (2 * widest + 8 * std::sqrt(count) + 24) * kRoundoff;
  for (int64_t i = 0; i < shape.head_dim; i++) {
    double total = 0;
    double magnitude = 0;
    for (int64_t at = begin; at <= position; at++) {
      double term =
          scores[static_cast<size_t>(at - begin)] / sum * pages.stored(true, at, kv_head, i);
      total += term;
      magnitude += std::fabs(term);
    }
    (*out)[static_cast<size_t>(i)] = total;
    (*tolerance)[static_cast<size_t>(i)] = factor * magnitude + 1e-37;
  }
}

void report(bool good, int32_t isa, const char* what, const Shape& s) {
  check(good,
        "%s attention, %s: type %d head_dim %lld kv_heads %lld group %lld position %lld rows %lld "
        "window %lld cap %g",
        isa_name(isa), what, s.type, static_cast<long long>(s.head_dim),
        static_cast<long long>(s.kv_heads), static_cast<long long>(s.group),
        static_cast<long long>(s.position), static_cast<long long>(s.rows),
        static_cast<long long>(s.window), static_cast<double>(s.soft_cap));
}

bool same_row(const Queries& q, Results& a, Results& b, int64_t row) {
  return std::memcmp(a.row(row), b.row(row), static_cast<size_t>(q.columns) * 4) == 0;
}

void test_shape(int32_t isa, const Shape& shape, bool quick, Random& random) {
  Pages pages(shape, random);
  Queries q(shape, random);
  // Each row alone, before any later key or value is there.
  Results alone(q);
  pages.store(isa, 0, shape.position);
  for (int64_t row = 0; row < shape.rows; row++) {
    pages.store(isa, shape.position + row, shape.position + row + 1);
    attend(isa, shape, pages, q, alone, row, row + 1, 0, shape.kv_heads);
  }
  check_stored(isa, shape, pages, 0);
  check_stored(isa, shape, pages, shape.position + shape.rows - 1);

  Results together(q);
  attend(isa, shape, pages, q, together, 0, shape.rows, 0, shape.kv_heads);
  bool same = true;
  for (int64_t row = 0; row < shape.rows; row++) {
    same &= same_row(q, alone, together, row);
  }
  report(same, isa, "alone or together", shape);

  // In parts, of rows and of heads.
  Results parts(q);
  const int64_t half = shape.rows / 2;
  for (int64_t head = 0; head < shape.kv_heads; head++) {
    attend(isa, shape, pages, q, parts, 0, half, head, head + 1);
    attend(isa, shape, pages, q, parts, half, shape.rows, head, head + 1);
  }
  report(std::memcmp(parts.memory.bytes(), together.memory.bytes(), parts.memory.size()) == 0, isa,
         "in parts", shape);

  bool good = true;
  std::vector<double> expected(static_cast<size_t>(shape.head_dim));
  std::vector<double> tolerance(static_cast<size_t>(shape.head_dim));
  // Quickly, some rows: all have the bits that they have alone, which takes the same path for each.
  const int64_t step = quick ? 8 : 1;
  for (int64_t row = 0; row < shape.rows; row++) {
    const bool checked = row % step == 0 || row == shape.rows - 1;
    for (int64_t head = 0; checked && head < shape.kv_heads * shape.group; head++) {
      const int64_t first = head * shape.head_dim;
      attend_exactly(shape, pages, q.memory.floats() + row * q.stride / 4 + first, row,
                     head / shape.group, &expected, &tolerance);
      for (int64_t i = 0; i < shape.head_dim; i++) {
        good &= std::fabs(static_cast<double>(together.row(row)[first + i]) -
                          expected[static_cast<size_t>(i)]) <= tolerance[static_cast<size_t>(i)];
      }
    }
    for (int64_t i = 0; i < kGap && row + 1 < shape.rows; i++) {
      good &= together.row(row)[q.columns + i] == kUntouched;
    }
  }
  good &= pages.intact() && together.memory.intact() && q.memory.intact();
  report(good, isa, "exactness", shape);
}

/* What is not a number in one query, or in a key that some see, stays with them. */
void test_not_finite(int32_t isa) {
  Random random(6);
  const Shape shape = {1, 64, 1, 4, 70, 6, 0, 0.0f};
  Pages pages(shape, random);
  Queries q(shape, random);
  pages.keys[static_cast<size_t>(73 * 64 + 5)] = NAN;  // that of row 3
  q.memory.floats()[2 * 64] = NAN;                     // of row 0, head 2
  pages.store(isa, 0, 76);
  Results out(q);
  attend(isa, shape, pages, q, out, 0, shape.rows, 0, 1);
  bool good = true;
  for (int64_t row = 0; row < shape.rows; row++) {
    for (int64_t i = 0; i < q.columns; i++) {
      good &= std::isnan(out.row(row)[i]) == (row >= 3 || (row == 0 && i / 64 == 2));
    }
  }
  report(good, isa, "not finite", shape);
}

}  // namespace

void test_attention(int32_t isa, bool quick) {
  Random random(5);
  const int64_t dims[] = {64, 128, 80, 96, 256, 24, 32, 8, 3, 576};
  const int64_t groups[] = {1, 4, 3, 8, 2, 7};
  const int64_t rows[] = {1, 5, 32, 33};
  const int64_t positions[] = {0, 63, 64, 150, 61};
  const int64_t windows[] = {0, 7, 100};
  const int64_t step = quick ? 7 : 1;
  int64_t number = 0;
  for (int32_t type : {1, 8, 0}) {
    for (int64_t dim : dims) {
      if (dim % format_of(type).block != 0) {
        continue;
      }
      for (int64_t group : groups) {
        for (int64_t count : rows) {
          // The other choices go round, each at its own pace.
          if (number++ % step != 0) {
            continue;
          }
          const int64_t position = positions[number % 5];
          test_shape(isa,
                     {type, dim, 1 + number % 2, group, position, count, windows[number % 3],
                      number % 4 == 0 ? 5.0f : 0.0f},
                     quick, random);
        }
      }
    }
  }
  // Heads so long that a tile is decoded in parts; more pairs than a block.
  test_shape(isa, {1, 4095, 1, 2, 60, 9, 0, 0.0f}, quick, random);
  test_shape(isa, {1, 4096, 1, 1, 60, 20, 0, 0.0f}, quick, random);
  test_shape(isa, {8, 32, 1, 150, 30, 3, 20, 0.0f}, quick, random);
  test_not_finite(isa);
}
