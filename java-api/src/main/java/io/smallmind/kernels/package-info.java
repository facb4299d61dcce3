/**
 * The narrow waist: what a backend can do ({@link io.smallmind.kernels.Kernels}), the choice among
 * backends ({@link io.smallmind.kernels.KernelRegistry}), and the threads that run them ({@link
 * io.smallmind.kernels.Team}).
 */
package io.smallmind.kernels;
