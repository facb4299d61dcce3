package io.smallmind.bench.rivals;

/** A running rival. Not thread-safe. */
public interface RivalEngine extends AutoCloseable {
  @Override
  void close();
}
