/** The work that is measured: matmuls and operations, with their data and references. */
package io.smallmind.bench.work;
