package io.smallmind.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CheckerTest {
  @Test
  void errorWithinItsToleranceIsRight() {
    Checker checker = new Checker();
    checker.check("a", 1.05, 1, 0.1);
    Verdict verdict = checker.verdict();
    assertTrue(verdict.isRight());
    assertEquals(0.5, verdict.worst(), 1e-9);
    assertEquals(1, verdict.checked());
  }

  @Test
  void worstValueIsNamed() {
    Checker checker = new Checker();
    checker.check("a", 1.2, 1, 0.1);
    checker.check("b", 1.9, 1, 0.1);
    checker.check("c", 1, 1, 0.1);
    Verdict verdict = checker.verdict();
    assertFalse(verdict.isRight());
    assertTrue(verdict.wrong().startsWith("b is 1.9"), verdict.wrong());
  }

  @Test
  void notANumberIsWrong() {
    Checker checker = new Checker();
    checker.check("a", Double.NaN, 1, 0.1);
    assertFalse(checker.verdict().isRight());
  }

  @Test
  void exactValueNeedsNoTolerance() {
    Checker checker = new Checker();
    checker.check("a", 1, 1, 0);
    assertTrue(checker.verdict().isRight());
    checker.check("b", Math.nextUp(1.0), 1, 0);
    assertFalse(checker.verdict().isRight());
  }

  @Test
  void verdictsAddUp() {
    Verdict right = new Verdict(3, 0.1, "");
    Verdict wrong = new Verdict(2, 7, "x");
    assertEquals(new Verdict(5, 7, "x"), right.and(wrong));
    assertEquals(new Verdict(5, 7, "x"), wrong.and(right));
  }
}
