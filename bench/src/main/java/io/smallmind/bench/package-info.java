/** The command line of the bench: {@code smallmind bench matmul|ops|jmh}. */
package io.smallmind.bench;
