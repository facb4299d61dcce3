/*
 * Functions of one value, for a vector of them, after one of simd_*.h was included. Errors are at
 * most 4 units in the last place or 1e-7, whichever is larger; NaN stays NaN, and at infinities
 * the functions take their limits.
 */
#ifndef SMALLMIND_OPS_FUNCTIONS_H
#define SMALLMIND_OPS_FUNCTIONS_H

namespace {

/* exp(x) = 2^power * (1 + rest). */
struct ExpParts {
  Floats power, rest;
};

/* x in [-88, 88]. */
inline ExpParts exp_parts(Floats x) {
  Floats n = round_even(mul(x, fill(1.44269504f)));  // 1 / ln 2
  // ln 2 in two parts; n times the first, of 15 bits, is exact.
  Floats r = negate_multiply_add(n, fill(0.693145751953125f), x);
  r = negate_multiply_add(n, fill(1.4286068e-6f), r);
  // Minimax polynomial for (exp(r) - 1 - r) / r^2, |r| <= ln 2 / 2: relative error of exp(r) - 1
  // 1.4e-8.
  Floats p = fill(1.388239e-3f);
  p = multiply_add(p, r, fill(8.367181e-3f));
  p = multiply_add(p, r, fill(4.1667223e-2f));
  p = multiply_add(p, r, fill(1.6666539e-1f));
  p = multiply_add(p, r, fill(4.9999997e-1f));
  return {n, multiply_add(mul(r, r), p, r)};
}

/* exp(x) for x <= 0; 0 where that is not a normal number. */
inline Floats exp_negative(Floats x) {
  const Floats smallest = fill(-87.33654f);  // ln 2^-126
  ExpParts parts = exp_parts(at_least(smallest, x));
  Floats e = multiply_power_of_two(add(fill(1.0f), parts.rest), parts.power);
  return zero_where(less(x, smallest), e);
}

/* The functions that end as x times something that underflows first: this keeps minus infinity
 * away from 0. */
inline Floats not_below_200(Floats x) { return at_least(fill(-200.0f), x); }

inline Floats relu(Floats x) { return at_least(fill(0.0f), x); }

inline Floats sigmoid(Floats x) {
  // With e = exp(-|x|): 1 / (1 + e) or e / (1 + e), neither of which cancels or overflows.
  Floats e = exp_negative(sub(fill(0.0f), absolute(x)));
  Floats numerator = select(less(x, fill(0.0f)), e, fill(1.0f));
  return div(numerator, add(fill(1.0f), e));
}

inline Floats silu(Floats x) { return mul(not_below_200(x), sigmoid(x)); }

inline Floats tanh(Floats x) {
  // (1 - e) / (1 + e) with e = exp(-2|x|), by e - 1, so that small values keep their digits. Where
  // |x| > 10 the result is 1.
  Floats a = at_most(fill(10.0f), absolute(x));
  ExpParts parts = exp_parts(mul(fill(-2.0f), a));
  Floats power = multiply_power_of_two(fill(1.0f), parts.power);
  Floats less_one = multiply_add(power, parts.rest, sub(power, fill(1.0f)));
  Floats magnitude = div(sub(fill(0.0f), less_one), add(fill(2.0f), less_one));
  return with_sign_of(x, magnitude);
}

inline Floats gelu_tanh(Floats x) {
  // (1 + tanh(u)) / 2 = sigmoid(2u), u = sqrt(2 / pi) * (x + 0.044715 x^3).
  Floats v = not_below_200(x);
  Floats cubic =
      multiply_add(mul(v, v), fill(2.0f * 0.79788456f * 0.044715f), fill(2.0f * 0.79788456f));
  return mul(v, sigmoid(mul(v, cubic)));
}

inline Floats gelu_erf(Floats x) {
  // x * P(x), where P is the normal distribution: for a = |x|, P(-a) = exp(-a^2 / 2) * R(a), and
  // R is a minimax polynomial in 1 / (1 + 0.3 a), whose error times a * exp(-a^2 / 2) is 9.5e-9.
  Floats v = not_below_200(x);
  Floats a = at_most(fill(14.5f), absolute(v));
  Floats u = div(fill(1.0f), multiply_add(fill(0.3f), a, fill(1.0f)));
  Floats r = fill(-4.456837e-2f);
  r = multiply_add(r, u, fill(6.661555e-2f));
  r = multiply_add(r, u, fill(2.628636e-1f));
  r = multiply_add(r, u, fill(-1.294868e-1f));
  r = multiply_add(r, u, fill(2.614053e-1f));
  r = multiply_add(r, u, fill(7.83291e-2f));
  r = multiply_add(r, u, fill(4.8416136e-3f));
  Floats tail = mul(exp_negative(mul(mul(a, a), fill(-0.5f))), r);
  return mul(v, select(less(v, fill(0.0f)), tail, sub(fill(1.0f), tail)));
}

}  // namespace

#endif
