package io.smallmind;

/** In work. */
public final class Backend {
  private Backend() {}
}
