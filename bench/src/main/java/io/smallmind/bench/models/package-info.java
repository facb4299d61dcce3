/** Whole models as work to measure: files, loading, reading prompts and generating. */
package io.smallmind.bench.models;
