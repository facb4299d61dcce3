package io.smallmind.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The functions of {@link UnaryOp} on the Vector API, in place on heap arrays. They run over whole
 * vectors: up to a vector's length of values behind the last one change as well.
 *
 * <p>Each error is below 4 units in the last place or 1e-7 over all floats that the conformance
 * tests walk through.
 */
final class VectorFunctions {
  private static final VectorSpecies<Float> S = VectorTile.S;
  private static final int L = VectorTile.L;

  private static final float LOG2_E = 1.44269504f;

  /** ln 2 in two parts: the upper has 11 bits, so that a multiple by an exponent is exact. */
  private static final float LN2_HIGH = 0x1.62ep-1f;

  private static final float LN2_LOW = (float) (Math.log(2) - LN2_HIGH);

  /** 1.5 · 2^23: added to a small float, it rounds it to an integer in the low bits. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);

  /** Below this, exp rounds to 0; above {@link #EXP_MAX}, to infinity. */
  private static final float EXP_MIN = -104;

  private static final float EXP_MAX = 89;

  /** −125 · ln 2: from here on exp is a normal number, also if rounded. */
  private static final float EXP_NORMAL = -86.6f;

  private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);

  private VectorFunctions() {}

  /** Returns exp(x) to 2 units in the last place; subnormal results may be less accurate. */
  static FloatVector exp(FloatVector x) {
    FloatVector low = FloatVector.broadcast(S, EXP_MIN);
    FloatVector high = FloatVector.broadcast(S, EXP_MAX);
    FloatVector clamped = x.blend(low, x.lt(low)); // NaN stays; max and min take longer for it
    clamped = clamped.blend(high, high.lt(clamped));
    FloatVector shifted = clamped.mul(LOG2_E).add(ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = n.fma(FloatVector.broadcast(S, -LN2_HIGH), clamped);
    r = n.fma(FloatVector.broadcast(S, -LN2_LOW), r);
    // Taylor's polynomial: the next term is below 6e-9 for |r| <= ln 2 / 2.
    FloatVector p = r.mul(1f / 5040).add(1f / 720);
    p = p.fma(r, FloatVector.broadcast(S, 1f / 120));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 24));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 6));
    p = p.fma(r, FloatVector.broadcast(S, 0.5f));
    p = p.fma(r, FloatVector.broadcast(S, 1));
    p = p.fma(r, FloatVector.broadcast(S, 1));
    // 2^n in two factors: n reaches beyond the exponents of F32.
    IntVector exponent = shifted.reinterpretAsInts().sub(ROUNDER_BITS);
    IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
    IntVector rest = exponent.sub(half);
    return p.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
        .mul(rest.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
  }

  /**
   * Returns exp(x) of what is not positive, or NaN, to 2 units in the last place; below 2^−125, 0:
   * processors take long for subnormal numbers.
   */
  static FloatVector expOfNegative(FloatVector x) {
    FloatVector low = FloatVector.broadcast(S, EXP_NORMAL);
    VectorMask<Float> tiny = x.lt(low);
    FloatVector clamped = x.blend(low, tiny); // NaN stays
    FloatVector shifted = clamped.mul(LOG2_E).add(ROUNDER);
    FloatVector n = shifted.sub(ROUNDER);
    FloatVector r = n.fma(FloatVector.broadcast(S, -LN2_HIGH), clamped);
    r = n.fma(FloatVector.broadcast(S, -LN2_LOW), r);
    FloatVector p = r.mul(1f / 5040).add(1f / 720);
    p = p.fma(r, FloatVector.broadcast(S, 1f / 120));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 24));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 6));
    p = p.fma(r, FloatVector.broadcast(S, 0.5f));
    p = p.fma(r, FloatVector.broadcast(S, 1));
    p = p.fma(r, FloatVector.broadcast(S, 1));
    IntVector exponent = shifted.reinterpretAsInts().sub(ROUNDER_BITS - 127);
    return p.mul(exponent.lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats()).blend(0, tiny);
  }

  static void relu(float[] x, int length) {
    for (int i = 0; i < length; i += L) {
      FloatVector.fromArray(S, x, i).max(0).intoArray(x, i);
    }
  }

  static void sigmoid(float[] x, int length) {
    FloatVector one = FloatVector.broadcast(S, 1);
    for (int i = 0; i < length; i += L) {
      FloatVector e = exp(FloatVector.fromArray(S, x, i).neg());
      one.div(e.add(1)).intoArray(x, i);
    }
  }

  static void silu(float[] x, int length) {
    for (int i = 0; i < length; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      FloatVector e = exp(v.neg());
      // Where e overflows, the result is -0: also at -infinity, with its numerator made finite.
      v.max(-Float.MAX_VALUE).div(e.add(1)).intoArray(x, i);
    }
  }

  static void geluTanh(float[] x, int length) {
    for (int i = 0; i < length; i += L) {
      // Below -20 the result is 0 to any accuracy, and infinity times 0 can't happen.
      FloatVector v = FloatVector.fromArray(S, x, i).max(-20);
      FloatVector cubic = v.mul(v).mul(0.044715f).add(1);
      // (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u))
      FloatVector e = exp(v.mul(cubic).mul(-2 * SQRT_2_OVER_PI));
      v.div(e.add(1)).intoArray(x, i);
    }
  }

  /**
   * x times the normal distribution's Φ(x), by Φ(−a) = exp(−a²/2) · g(a) for a = |x|. The
   * polynomial in 1 / (1 + 0.4 a) is a minimax fit of g, to 9e-9 where exp(−a²/2) · a is largest.
   */
  static void geluErf(float[] x, int length) {
    FloatVector one = FloatVector.broadcast(S, 1);
    for (int i = 0; i < length; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      FloatVector a = v.abs().min(16); // further out, the tail is 0
      FloatVector tail = exp(a.mul(a).mul(-0.5f));
      FloatVector t = one.div(a.mul(0.4f).add(1));
      FloatVector g = t.mul(0.0598518066f).add(-0.269193381f);
      g = g.fma(t, FloatVector.broadcast(S, 0.364699155f));
      g = g.fma(t, FloatVector.broadcast(S, -0.0095232157f));
      g = g.fma(t, FloatVector.broadcast(S, 0.200183824f));
      g = g.fma(t, FloatVector.broadcast(S, 0.153646275f));
      g = g.fma(t, FloatVector.broadcast(S, 0.000336113502f));
      v.max(0).sub(a.mul(tail).mul(g)).intoArray(x, i);
    }
  }

  /** Near 0, x plus x³ times a minimax polynomial in x²; beyond, 1 − 2 / (1 + exp(2|x|)). */
  static void tanh(float[] x, int length) {
    for (int i = 0; i < length; i += L) {
      FloatVector v = FloatVector.fromArray(S, x, i);
      FloatVector e = exp(v.abs().mul(2));
      FloatVector far = FloatVector.broadcast(S, 1).sub(FloatVector.broadcast(S, 2).div(e.add(1)));
      IntVector sign = v.reinterpretAsInts().and(0x80000000);
      far = far.reinterpretAsInts().or(sign).reinterpretAsFloats();
      FloatVector s = v.mul(v);
      FloatVector p = s.mul(-0.0056793276f).add(0.020618144f);
      p = p.fma(s, FloatVector.broadcast(S, -0.053734007f));
      p = p.fma(s, FloatVector.broadcast(S, 0.13331384f));
      p = p.fma(s, FloatVector.broadcast(S, -0.3333328f));
      FloatVector near = p.mul(s).fma(v, v);
      far.blend(near, v.abs().compare(VectorOperators.LT, 0.625f)).intoArray(x, i);
    }
  }
}
