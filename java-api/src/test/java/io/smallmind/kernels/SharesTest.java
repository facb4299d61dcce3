package io.smallmind.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SharesTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1, 2",
    "4, 4, 2",
    "64, 4, 2",
    "1002, 7, 2",
    "1002, 1, 3",
    "333, 5, 64",
    "1000, 3, 8",
    "10000, 1, 64",
    "0, 3, 2"
  })
  void claimsCoverAllUnitsOnceAndGetSmaller(long units, long chunk, long members) {
    long end = 0;
    long last = Long.MAX_VALUE;
    long claim = 0;
    for (; end < units; claim++) {
      long begin = Shares.claimed(claim, units, chunk, members);
      assertEquals(end, begin, "claim " + claim);
      end = Shares.claimed(claim + 1, units, chunk, members);
      long count = end - begin;
      assertTrue(count <= last, "claim " + claim + " of " + count + " after one of " + last);
      assertTrue(count >= chunk || end == units, "claim " + claim + " of " + count);
      assertTrue(
          count <= Math.max(chunk, (units - begin) / members), "claim " + claim + " of " + count);
      last = count;
    }
    assertEquals(units, Shares.claimed(claim, units, chunk, members));
    assertEquals(units, Shares.claimed(claim + members, units, chunk, members));
  }

  @ParameterizedTest
  @CsvSource({"1", "15", "16", "512"})
  void oneMemberHasNobodyToShareWith(long tokens) {
    assertEquals(1000, Shares.fixed(1000, 1L << 30, tokens, 1));
    assertTrue(Shares.fixed(1000, 1L << 30, tokens, 2) < 1000);
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "4", "8"})
  void claimsOfAFewUnitsAreFew(long doublings) {
    // Each claim of two members halves what is left: their number grows with the logarithm.
    long units = 100L << doublings;
    long claims = 0;
    while (Shares.claimed(claims, units, 1, 2) < units) {
      claims++;
    }
    assertTrue(claims <= 8 + doublings, claims + " claims");
  }
}
