/** Writes models in the formats of others, so that rivals which read no GGUF do the same work. */
package io.smallmind.bench.formats;
