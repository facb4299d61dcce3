package io.smallmind.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HomeFolderTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/home/me/lib/a.so | ~/lib/a.so",
        "linked, /home/me/a.so and '/home/me/b.so' | linked, ~/a.so and '~/b.so'",
        "/home/meow/a.so | /home/meow/a.so",
        "/backup/home/me/a.so | /backup/home/me/a.so",
        "plain Java | plain Java",
      })
  void pathsBelowItBeginWithATilde(String text, String expected) {
    assertEquals(expected, HomeFolder.shortened(text, "/home/me"));
  }
}
