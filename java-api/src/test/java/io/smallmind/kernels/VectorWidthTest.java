package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** The runs of the conformance tests with shorter vectors have no longer ones. */
class VectorWidthTest {
  private static final String PROPERTY = "smallmind.test.vectorBits";

  /** What any machine has at most, where the build says nothing. */
  private static final int LONGEST = 512;

  @Test
  void vectorsAreNoLongerThanTheBuildSays() {
    int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    assertTrue(bits <= Integer.getInteger(PROPERTY, LONGEST), () -> bits + " bits");
  }
}
