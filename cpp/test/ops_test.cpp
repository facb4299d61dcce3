/* The operations against plain loops in double precision. */

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "activations.h"
#include "check.h"
#include "conformance.h"
#include "smallmind.h"

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kEpsilon = 0x1p-23;
constexpr double kPi = 3.14159265358979323846;

const char* const kUnaryNames[] = {"relu", "gelu_tanh", "gelu_erf", "silu", "sigmoid", "tanh"};

double unary_exact(int32_t op, double x) {
  const double sigmoid_x = 1 / (1 + std::exp(-x));
  const bool lowest = x == -std::numeric_limits<double>::infinity();
  switch (op) {
    case SM_UNARY_RELU:
      return x < 0 ? 0 : x;
    case SM_UNARY_GELU_TANH: {
      double u = std::sqrt(2 / kPi) * (x + 0.044715 * x * x * x);
      return lowest ? 0 : x / (1 + std::exp(-2 * u));
    }
    case SM_UNARY_GELU_ERF:
      return lowest ? 0 : x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case SM_UNARY_SILU:
      return lowest ? 0 : x * sigmoid_x;
    case SM_UNARY_SIGMOID:
      return sigmoid_x;
    default:
      return std::tanh(x);
  }
}

/* The distance from |x|, rounded to F32, to the next float. */
double unit_in_last_place(double x) {
  float f = static_cast<float>(std::fabs(x));
  return f >= std::numeric_limits<float>::max()
             ? 0x1p104
             : static_cast<double>(std::nextafter(f, kInfinity)) - static_cast<double>(f);
}

bool close(double actual, double expected, double tolerance) {
  if (std::isnan(expected)) {
    return std::isnan(actual);
  }
  return actual == expected || std::fabs(actual - expected) <= tolerance;
}

struct Worst {
  double ulps = 0;      // of results of at least 0.25
  double absolute = 0;  // of smaller ones
};

void check_unary(int32_t isa, int32_t op, const std::vector<float>& in,
                 const std::vector<float>& out, Worst* worst) {
  int64_t wrong = 0;
  float first_wrong = 0;
  for (size_t i = 0; i < in.size(); i++) {
    double expected = unary_exact(op, static_cast<double>(in[i]));
    double ulp = unit_in_last_place(expected);
    double tolerance = std::fmax(4 * ulp, 1e-7);
    if (!close(static_cast<double>(out[i]), expected, tolerance)) {
      first_wrong = wrong == 0 ? in[i] : first_wrong;
      wrong++;
    } else if (std::isfinite(expected)) {
      double error = std::fabs(static_cast<double>(out[i]) - expected);
      if (std::fabs(expected) >= 0.25) {
        worst->ulps = std::fmax(worst->ulps, error / ulp);
      } else {
        worst->absolute = std::fmax(worst->absolute, error);
      }
    }
  }
  check(wrong == 0, "%s %s: %lld of %lld values off, the first at %.9g", isa_name(isa),
        kUnaryNames[op], static_cast<long long>(wrong), static_cast<long long>(in.size()),
        static_cast<double>(first_wrong));
}

void test_unary_accuracy(int32_t isa, bool exhaustive) {
  for (int32_t op = SM_UNARY_RELU; op <= SM_UNARY_TANH; op++) {
    Worst worst;
    // All floats, or some of them, at a distance that is prime.
    const uint32_t step = exhaustive ? 1 : 8191;
    const uint32_t chunk = 1 << 20;
    std::vector<float> in;
    std::vector<float> out;
    for (uint64_t bits = 0; bits < (uint64_t{1} << 32);) {
      in.clear();
      for (; in.size() < chunk && bits < (uint64_t{1} << 32); bits += step) {
        uint32_t word = static_cast<uint32_t>(bits);
        float x;
        std::memcpy(&x, &word, sizeof(x));
        in.push_back(x);
      }
      for (float x : {0.0f, -0.0f, kInfinity, -kInfinity, kNaN, 1.0f, -1.0f, 0x1p-149f, 88.8f,
                      -88.8f, 3e38f, -3e38f}) {
        in.push_back(x);
      }
      out.assign(in.size(), -1.0f);
      sm_unary(isa, op, in.data(), out.data(), static_cast<int64_t>(in.size()));
      check_unary(isa, op, in, out, &worst);
    }
    std::printf("  %s %-9s worst error: %.2f ulp, below 0.25: %.2e\n", isa_name(isa),
                kUnaryNames[op], worst.ulps, worst.absolute);
  }
}

/* Every length around the widths of vectors, up to a guard page, in place or not. */
void test_elementwise_bounds(int32_t isa) {
  std::vector<int64_t> lengths;
  for (int64_t n = 0; n <= 4 * 64 + 3; n++) {
    lengths.push_back(n);
  }
  for (int64_t n : {2 << 20, (2 << 20) + 1, (2 << 20) + 77, (2 << 20) - 1}) {
    lengths.push_back(n);
  }
  Random random(1);
  for (int64_t n : lengths) {
    const size_t bytes = static_cast<size_t>(n) * sizeof(float);
    Guarded a(bytes);
    Guarded b(bytes);
    Guarded out(bytes);
    for (int64_t i = 0; i < n; i++) {
      a.floats()[i] = uniform(random, -3, 3);
      b.floats()[i] = uniform(random, -3, 3);
    }
    const std::vector<float> a0(a.floats(), a.floats() + n);
    const std::vector<float> b0(b.floats(), b.floats() + n);
    auto expect = [&](const char* what, const float* actual, auto exact, double ulps) {
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; i++) {
        double expected = exact(i);
        double tolerance = ulps == 0 ? 0 : std::fmax(ulps * unit_in_last_place(expected), 1e-7);
        wrong += !close(static_cast<double>(actual[i]), expected, tolerance);
      }
      check(wrong == 0 && a.intact() && b.intact() && out.intact(), "%s %s length %lld: %lld wrong",
            isa_name(isa), what, static_cast<long long>(n), static_cast<long long>(wrong));
    };
    auto sum = [&](int64_t i) {
      return static_cast<double>(a0[static_cast<size_t>(i)] + b0[static_cast<size_t>(i)]);
    };
    auto product = [&](int64_t i) {
      return static_cast<double>(a0[static_cast<size_t>(i)] * b0[static_cast<size_t>(i)]);
    };
    auto scaled = [&](int64_t i) { return static_cast<double>(1.7f * a0[static_cast<size_t>(i)]); };
    auto reset = [&] { std::copy(a0.begin(), a0.end(), a.floats()); };

    sm_binary(isa, SM_BINARY_ADD, a.floats(), b.floats(), out.floats(), n);
    expect("add", out.floats(), sum, 0);
    sm_binary(isa, SM_BINARY_MULTIPLY, a.floats(), b.floats(), out.floats(), n);
    expect("multiply", out.floats(), product, 0);
    sm_scale(isa, 1.7f, a.floats(), out.floats(), n);
    expect("scale", out.floats(), scaled, 0);
    sm_binary(isa, SM_BINARY_ADD, a.floats(), b.floats(), a.floats(), n);
    expect("add in place", a.floats(), sum, 0);
    reset();
    sm_binary(isa, SM_BINARY_MULTIPLY, a.floats(), b.floats(), b.floats(), n);
    expect("multiply in place", b.floats(), product, 0);
    std::copy(b0.begin(), b0.end(), b.floats());
    sm_scale(isa, 1.7f, a.floats(), a.floats(), n);
    expect("scale in place", a.floats(), scaled, 0);
    reset();
    const int32_t last_op = n < 1000 ? SM_UNARY_TANH : SM_UNARY_RELU;  // all share their loops
    for (int32_t op = SM_UNARY_RELU; op <= last_op; op++) {
      auto exact = [&](int64_t i) {
        return unary_exact(op, static_cast<double>(a0[static_cast<size_t>(i)]));
      };
      sm_unary(isa, op, a.floats(), out.floats(), n);
      expect(kUnaryNames[op], out.floats(), exact, 4);
      sm_unary(isa, op, a.floats(), a.floats(), n);
      expect(kUnaryNames[op], a.floats(), exact, 4);
      reset();
    }

    double exact = 0;
    double magnitude = 0;
    for (int64_t i = 0; i < n; i++) {
      double term = static_cast<double>(a.floats()[i]) * static_cast<double>(b.floats()[i]);
      exact += term;
      magnitude += std::fabs(term);
    }
    // Each of the terms is rounded once in its own lane and once more for every vector after it.
    double tolerance = (static_cast<double>(n) / 16 + 8) * kEpsilon * magnitude;
    check(close(static_cast<double>(sm_dot(isa, a.floats(), b.floats(), n)), exact, tolerance),
          "%s dot length %lld", isa_name(isa), static_cast<long long>(n));
  }
}

/* A matrix of floats whose rows are `stride` bytes apart, the last one ending at a guard page. */
struct Rows {
  Rows(int64_t rows, int64_t columns, int64_t gap)
      : stride((columns + gap) * 4),
        memory(rows == 0 ? 0 : static_cast<size_t>((rows - 1) * stride + columns * 4)) {
    for (size_t i = 0; i < memory.size() / 4; i++) {
      memory.floats()[i] = kNaN;
    }
  }

  float* row(int64_t i) { return memory.floats() + i * stride / 4; }

  int64_t stride;
  Guarded memory;
};

constexpr int64_t kRows = 4;

/* The bits of the function and the product one after the other, in some rows. */
void test_gate(int32_t isa) {
  Random random(3);
  for (int32_t op = SM_UNARY_RELU; op <= SM_UNARY_TANH; op++) {
    for (int64_t columns = 1; columns <= 131; columns += columns < 36 ? 1 : 19) {
      Rows gate(kRows, columns, 3);
      Rows up(kRows, columns, 5);
      std::vector<float> expected(static_cast<size_t>(kRows * columns));
      for (int64_t i = 0; i < kRows; i++) {
        float* row = &expected[static_cast<size_t>(i * columns)];
        for (int64_t j = 0; j < columns; j++) {
          gate.row(i)[j] = uniform(random, -8, 8);
          up.row(i)[j] = uniform(random, -2, 2);
        }
        std::memcpy(row, gate.row(i), static_cast<size_t>(columns) * 4);
        if (i == 1 || i == 2) {
          sm_unary(isa, op, row, row, columns);
          sm_binary(isa, SM_BINARY_MULTIPLY, row, up.row(i), row, columns);
        }
      }
      sm_gate(isa, op, gate.row(0), gate.stride, up.row(0), up.stride, columns, 1, 3);
      bool good = true;
      for (int64_t i = 0; i < kRows; i++) {
        good &= std::memcmp(gate.row(i), &expected[static_cast<size_t>(i * columns)],
                            static_cast<size_t>(columns) * 4) == 0;
      }
      check(good && gate.memory.intact() && up.memory.intact(), "%s gate op %d columns %lld",
            isa_name(isa), op, static_cast<long long>(columns));
    }
  }
}

void softmax_exact(const float* x, int64_t columns, std::vector<double>* y) {
  double max = -kInfinity;
  for (int64_t i = 0; i < columns; i++) {
    double value = static_cast<double>(x[i]);
    max = std::isnan(value) || std::isnan(max) ? NAN : std::fmax(max, value);
  }
  double sum = 0;
  y->resize(static_cast<size_t>(columns));
  for (int64_t i = 0; i < columns; i++) {
    (*y)[static_cast<size_t>(i)] = std::exp(static_cast<double>(x[i]) - max);
    sum += (*y)[static_cast<size_t>(i)];
  }
  for (double& value : *y) {
    value /= sum;
  }
}

void test_softmax(int32_t isa) {
  Random random(2);
  const float specials[] = {1, -kInfinity, kNaN, kInfinity, 1e30f, -1e30f};
  for (int64_t columns = 1; columns <= 131; columns += columns < 36 ? 1 : 19) {
    for (float special : specials) {
      for (bool in_place : {false, true}) {
        Rows in(kRows, columns, 3);
        Rows out(kRows, columns, in_place ? 3 : 5);
        for (int64_t i = 0; i < kRows; i++) {
          for (int64_t j = 0; j < columns; j++) {
            in.row(i)[j] = uniform(random, -30, 30);
          }
          if (special != 1) {
            in.row(i)[i * columns / kRows] = special;
          }
        }
        for (int64_t j = 0; j < columns; j++) {
          in.row(2)[j] = special == -kInfinity ? -kInfinity : in.row(2)[j];
        }
        std::vector<std::vector<double>> expected(kRows);
        for (int64_t i = 0; i < kRows; i++) {
          softmax_exact(in.row(i), columns, &expected[static_cast<size_t>(i)]);
        }
        Rows& to = in_place ? in : out;
        sm_softmax(isa, in.row(0), in.stride, columns, to.row(0), to.stride, 1, kRows);
        bool good = in_place || std::isnan(out.row(0)[0]);
        for (int64_t i = 1; i < kRows; i++) {
          for (int64_t j = 0; j < columns; j++) {
            double e = expected[static_cast<size_t>(i)][static_cast<size_t>(j)];
            // The exponential, its sum, the reciprocal and the product round; so does x - max,
            // which is at most 60 wherever the result counts.
            double tolerance = (8 + 30 + static_cast<double>(columns) / 16) * kEpsilon * e + 1e-37;
            good &= close(static_cast<double>(to.row(i)[j]), e, tolerance);
          }
        }
        check(good && in.memory.intact() && out.memory.intact(),
              "%s softmax columns %lld special %g in place %d", isa_name(isa),
              static_cast<long long>(columns), static_cast<double>(special), in_place);
      }
    }
  }
}

void test_norms(int32_t isa) {
  Random random(3);
  for (int64_t columns = 1; columns <= 300; columns += columns < 70 ? 1 : 23) {
    // A large common offset costs the digits of the mean, unless the sums are made with care.
    for (float offset : {0.0f, 1000.0f}) {
      for (bool in_place : {false, true}) {
        Rows in(kRows, columns, 1);
        Rows out(kRows, columns, in_place ? 1 : 2);
        Guarded weight(static_cast<size_t>(columns) * 4);
        Guarded bias(static_cast<size_t>(columns) * 4);
        for (int64_t j = 0; j < columns; j++) {
          weight.floats()[j] = uniform(random, -2, 2);
          bias.floats()[j] = uniform(random, -2, 2);
          for (int64_t i = 0; i < kRows; i++) {
            in.row(i)[j] = offset + uniform(random, -1, 1);
          }
        }
        Rows& to = in_place ? in : out;
        for (bool layer : {false, true}) {
          const float epsilon = 1e-5f;
          std::vector<double> expected;
          std::vector<double> tolerance;
          for (int64_t i = 1; i < kRows; i++) {
            double mean = 0;
            double magnitude = 0;
            double squares = 0;
            for (int64_t j = 0; j < columns && layer; j++) {
              mean += static_cast<double>(in.row(i)[j]) / static_cast<double>(columns);
            }
            for (int64_t j = 0; j < columns; j++) {
              double d = static_cast<double>(in.row(i)[j]) - mean;
              magnitude +=
                  std::fabs(static_cast<double>(in.row(i)[j])) / static_cast<double>(columns);
              squares += d * d / static_cast<double>(columns);
            }
            double factor = 1 / std::sqrt(squares + static_cast<double>(epsilon));
            for (int64_t j = 0; j < columns; j++) {
              double d = static_cast<double>(in.row(i)[j]) - mean;
              double w = static_cast<double>(weight.floats()[j]);
              double b = layer ? static_cast<double>(bias.floats()[j]) : 0;
              expected.push_back(d * factor * w + b);
              double sums = 8 + static_cast<double>(columns) / 16;
              // The mean was rounded, and so were the sums that it came from.
              tolerance.push_back(kEpsilon * (sums * std::fabs(d * factor * w) + std::fabs(b)) +
                                  (layer ? kEpsilon * 2 * magnitude * factor * std::fabs(w) : 0));
            }
          }
          const std::vector<float> saved(in.memory.floats(),
                                         in.memory.floats() + in.memory.size() / 4);
          if (layer) {
            sm_layer_norm(isa, in.row(0), in.stride, columns, weight.floats(), bias.floats(),
                          epsilon, to.row(0), to.stride, 1, kRows);
          } else {
            sm_rms_norm(isa, in.row(0), in.stride, columns, weight.floats(), epsilon, to.row(0),
                        to.stride, 1, kRows);
          }
          bool good = in_place || std::isnan(out.row(0)[0]);
          for (int64_t i = 1, k = 0; i < kRows; i++) {
            for (int64_t j = 0; j < columns; j++, k++) {
              good &= close(static_cast<double>(to.row(i)[j]), expected[static_cast<size_t>(k)],
                            tolerance[static_cast<size_t>(k)]);
            }
          }
          check(good && in.memory.intact() && out.memory.intact(),
                "%s %s norm columns %lld offset %g in place %d", isa_name(isa),
                layer ? "layer" : "rms", static_cast<long long>(columns),
                static_cast<double>(offset), in_place);
          std::memcpy(in.memory.floats(), saved.data(), in.memory.size());
        }
      }
    }
  }
}

void test_rope(int32_t isa) {
  Random random(4);
  for (int32_t pairing : {SM_ROPE_ADJACENT, SM_ROPE_HALVES}) {
    for (int64_t head_dim = 2; head_dim <= 160; head_dim += head_dim < 70 ? 2 : 18) {
      for (int64_t rotary_dim : {head_dim, head_dim / 4 * 2}) {
        const int64_t heads = 3;
        const int64_t pairs = rotary_dim / 2;
        Guarded x(static_cast<size_t>(heads * head_dim) * 4);
        Guarded table(static_cast<size_t>(rotary_dim) * 4);
        for (int64_t i = 0; i < heads * head_dim; i++) {
          x.floats()[i] = uniform(random, -2, 2);
        }
        for (int64_t i = 0; i < pairs; i++) {
          float angle = uniform(random, -4, 4);
          table.floats()[i] = std::cos(angle);
          table.floats()[pairs + i] = std::sin(angle);
        }
        std::vector<double> expected(x.floats(), x.floats() + heads * head_dim);
        for (int64_t head = 0; head < heads; head++) {
          for (int64_t i = 0; i < pairs; i++) {
            bool adjacent = pairing == SM_ROPE_ADJACENT;
            size_t at = static_cast<size_t>(head * head_dim + (adjacent ? 2 * i : i));
            size_t other = at + static_cast<size_t>(adjacent ? 1 : pairs);
            double cosine = static_cast<double>(table.floats()[i]);
            double sine = static_cast<double>(table.floats()[pairs + i]);
            double a = expected[at];
            double b = expected[other];
            expected[at] = a * cosine - b * sine;
            expected[other] = a * sine + b * cosine;
          }
        }
        sm_rope(isa, pairing, x.floats(), heads, head_dim, rotary_dim, table.floats());
        bool good = x.intact();
        for (int64_t i = 0; i < heads * head_dim; i++) {
          // Two products of at most 2 and their sum, each rounded.
          good &= close(static_cast<double>(x.floats()[i]), expected[static_cast<size_t>(i)],
                        3 * kEpsilon * 4);
        }
        check(good, "%s rope pairing %d head %lld rotary %lld", isa_name(isa), pairing,
              static_cast<long long>(head_dim), static_cast<long long>(rotary_dim));
      }
    }
  }
}

/* The bytes of quantized rows must be those of the definition, padding included. */
void test_quantize(int32_t isa) {
  Random random(5);
  for (int64_t columns = 1; columns <= 200; columns += columns < 100 ? 1 : 13) {
    for (int kind = 0; kind < 8; kind++) {
      Rows in(kRows, columns, 2);
      for (int64_t i = 0; i < kRows; i++) {
        for (int64_t j = 0; j < columns; j++) {
          float v = uniform(random, -4, 4);
          switch (kind) {
            case 1:
              v = 0;
              break;
            case 2:
              v *= 0x1p-103f;
              break;
            case 3:
              v = std::nearbyint(v * 31) * 0.5f;  // ties
              break;
            case 4:
              v *= 0x1p125f;
              break;
            case 5:
              v *= 0x1p-130f;
              break;
          }
          in.row(i)[j] = v;
        }
        if (kind == 3) {
          in.row(i)[0] = 127;
        }
        if (kind >= 6) {
          in.row(i)[columns / 2] = kind == 6 ? kNaN : i % 2 == 0 ? kInfinity : -kInfinity;
        }
      }
      const size_t row_bytes = static_cast<size_t>(sm_activation_row_bytes(columns));
      Guarded out(row_bytes * kRows);
      std::memset(out.bytes(), 0x77, out.size());
      sm_quantize(isa, in.row(0), in.stride, columns, out.bytes(), 1, kRows);
      std::vector<uint8_t> expected(out.size(), 0);
      std::memset(expected.data(), 0x77, row_bytes);
      for (int64_t i = 1; i < kRows; i++) {
        reference_quantize(in.row(i), columns,
                           expected.data() + static_cast<size_t>(i) * row_bytes);
      }
      check(std::memcmp(out.bytes(), expected.data(), out.size()) == 0 && out.intact(),
            "%s quantize columns %lld kind %d", isa_name(isa), static_cast<long long>(columns),
            kind);
    }
  }
}

}  // namespace

void test_ops(int32_t isa, bool exhaustive) {
  test_unary_accuracy(isa, exhaustive);
  test_elementwise_bounds(isa);
  test_gate(isa);
  test_softmax(isa);
  test_norms(isa);
  test_rope(isa);
  test_quantize(isa);
}
