import org.jspecify.annotations.NullMarked;

/** The command line of SmallMind; run, not called. */
@NullMarked
module io.smallmind.app {
  requires com.google.gson;
  requires info.picocli;
  requires io.smallmind;
  requires io.smallmind.embedded;
  requires java.desktop;
  requires java.logging;
  requires jdk.management;
  requires org.jline;
  requires org.knowm.xchart;
  requires static org.jspecify;

  opens io.smallmind.app to
      info.picocli;
}
