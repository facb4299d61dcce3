/**
 * Trains small transformers, from scratch or from a model file: a tape of operations over buffers
 * that are allocated once, each operation's gradient beside it ({@link
 * io.smallmind.training.Trainer} is the door).
 */
package io.smallmind.training;
