package io.smallmind.drivers;

/** A library that multiplies matrices. */
@FunctionalInterface
interface Multiplier {
  /** Prepares a product: whatever is done once per weights is done here. */
  Multiplication prepare(Job job) throws Exception;
}
