package io.smallmind.bench.measure;

/**
 * How long to measure.
 *
 * @param rounds how often every trial of a case has its turn
 * @param sliceNanos length of a turn
 * @param warmUpNanos longest time to wait for stable times
 * @param capNanos a call that would take longer is not made
 */
public record Pace(int rounds, long sliceNanos, long warmUpNanos, long capNanos) {}
