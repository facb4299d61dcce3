package io.smallmind.bench.measure;

/** A backend's trial whose slices run beside busy processes, which rest at all other times. */
public final class BesideTrial extends WrappedTrial {
  private final ForeignLoad load;

  /**
   * Creates a trial.
   *
   * @param inner what is timed; closed with this
   * @param load closed by whoever made it
   */
  public BesideTrial(Trial inner, ForeignLoad load) {
    super(inner, Condition.of(inner.variant(), Condition.beside(load.count())), Role.VARIANT);
    this.load = load;
  }

  @Override
  void enter() {
    load.begin();
  }

  @Override
  void leave() {
    load.end();
  }
}
