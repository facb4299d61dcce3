package io.smallmind.bench.host;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The machine and the software on it. What can't be read is an empty text, an empty list or null.
 *
 * @param cpuFlags instruction sets that matter to kernels
 * @param caches of one core, such as {@code L2 1024K}
 * @param governor of the first core's clock
 * @param memoryBytes of the machine, or of the container if it is allowed less
 * @param jvmFlags the arguments this JVM was started with
 * @param revision of the source tree this was started in; with a + if it has changes
 */
public record HostInfo(
    String cpu,
    int processors,
    List<String> cpuFlags,
    List<String> caches,
    String governor,
    @Nullable Long memoryBytes,
    String hugePages,
    String os,
    String javaVersion,
    String jvm,
    List<String> jvmFlags,
    String revision) {}
