package io.smallmind.bench.rivals;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What all rivals share.
 *
 * @param folder where they are installed
 * @param patience how long one may take to answer before it is taken for hanging
 */
public record RivalSettings(Path folder, Duration patience) {}
