/** What changed between runs, and whether that is more than noise. */
package io.smallmind.bench.compare;
