/**
 * Typed views of off-heap memory, and one codec per storage format. Knows no other package but the
 * errors.
 */
package io.smallmind.tensor;
