package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The runs of the conformance tests with shorter vectors have no longer ones. */
class VectorWidthTest {
  private static final String PROPERTY = "smallmind.test.vectorBits";

  @Test
  @EnabledIfSystemProperty(named = PROPERTY, matches = ".+")
  void vectorsAreNoLongerThanTheBuildSays() {
    int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    assertTrue(bits <= Integer.getInteger(PROPERTY), () -> bits + " bits");
  }
}
