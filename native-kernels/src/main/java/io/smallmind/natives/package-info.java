/**
 * The native backends: {@link io.smallmind.natives.NativeKernelsProvider} finds out which of them
 * run here, {@link io.smallmind.natives.NativeKernels} calls them.
 */
package io.smallmind.natives;
