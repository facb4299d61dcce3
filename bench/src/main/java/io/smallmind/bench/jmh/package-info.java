/** The bench's work as JMH benchmarks; verified before anything is timed. */
package io.smallmind.bench.jmh;
