/**
 * Transformer models: configuration, weights, key-value cache and the forward pass. Model families
 * differ by data ({@link io.smallmind.model.Architecture}, {@link io.smallmind.model.ModelConfig}),
 * not by code.
 */
package io.smallmind.model;
