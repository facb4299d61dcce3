/** The machine's limits, measured: what no kernel can pass. */
package io.smallmind.bench.limits;
