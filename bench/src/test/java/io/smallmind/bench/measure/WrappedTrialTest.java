package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WrappedTrialTest {
  private final List<String> steps = new ArrayList<>();

  private final class Inner extends Trial {
    private final boolean fails;

    Inner(boolean fails) {
      super("inner", Role.BACKEND, 1);
      this.fails = fails;
    }

    @Override
    public void begin() {
      if (fails) {
        throw new AssertionError("no errors are caught but those of a trial as a whole");
      }
      steps.add("begin");
    }

    @Override
    public void call() {
      steps.add("call");
    }

    @Override
    public void end() {
      steps.add("end");
    }
  }

  private final class Wrapped extends WrappedTrial {
    Wrapped(boolean fails) {
      super(new Inner(fails), "wrapped", Role.VARIANT);
    }

    @Override
    void enter() {
      steps.add("enter");
    }

    @Override
    void leave() {
      steps.add("leave");
    }
  }

  @Test
  void conditionLastsForTheSlice() {
    Trial trial = new Wrapped(false);
    trial.begin();
    trial.call();
    trial.end();
    assertEquals(List.of("enter", "begin", "call", "end", "leave"), steps);
  }

  @Test
  void whatDidNotBeginLeavesTheCondition() {
    Trial trial = new Wrapped(true);
    assertThrows(AssertionError.class, trial::begin);
    assertEquals(List.of("enter", "leave"), steps);
  }
}
