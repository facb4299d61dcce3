package io.smallmind.bench.measure;

import io.smallmind.bench.limits.LimitKind;
import java.util.List;

/**
 * A part of what a trial's call does.
 *
 * @param operations of all its occurrences in a call; likewise bytes
 * @param compute what its operations are limited by
 * @param nanos of all its occurrences in a call, waiting for other threads among them
 * @param calls how often it occurs in a call
 * @param waitNanos of nanos, the waiting
 * @param byLayer time in each layer, in nanoseconds; empty if it belongs to none
 */
public record Part(
    String name,
    double operations,
    double bytes,
    LimitKind compute,
    Statistics nanos,
    double calls,
    double waitNanos,
    List<Double> byLayer) {}
