/** Training as work to measure. */
package io.smallmind.bench.train;
