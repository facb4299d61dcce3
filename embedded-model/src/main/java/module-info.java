import org.jspecify.annotations.NullMarked;

/** A small language model inside a jar. */
@NullMarked
module io.smallmind.embedded {
  requires static org.jspecify;

  exports io.smallmind.embedded;
}
