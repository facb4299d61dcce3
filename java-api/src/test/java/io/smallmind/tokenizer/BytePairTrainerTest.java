package io.smallmind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.smallmind.error.BadArgumentException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.gguf.GgufValue;
import io.smallmind.gguf.GgufWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BytePairTrainerTest {
  private static final String TEXT =
      """
      the cat sat on the mat, and the rat sat on the cat. the cat didn't mind: the mat's warm.
      <|endoftext|>naïve café, naïve café 1234 1234 12
      """;

  private static Map<String, GgufValue> train(String text, int size) {
    BytePairTrainer trainer = new BytePairTrainer();
    trainer.add(text.getBytes(StandardCharsets.UTF_8));
    return trainer.train(size);
  }

  @Test
  void mergesTheMostFrequentPairEachTime() {
    GgufValue merges = train(TEXT, 257 + 25).get("tokenizer.ggml.merges");
    List<String> found = new ArrayList<>();
    for (int i = 0; i < merges.length(); i++) {
      found.add(merges.stringAt(i));
    }
    assertEquals(naiveMerges(TEXT, 25), found);
  }

  /** Counts all pairs anew for each merge. */
  private static List<String> naiveMerges(String text, int count) {
    List<List<String>> words = new ArrayList<>();
    List<String> age = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      age.add(ByteAlphabet.text(String.valueOf((char) value)));
    }
    for (String part : text.split("<\\|endoftext\\|>")) {
      String bytes = new String(part.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
      for (String word : PreTokenizer.byName("gpt-2").split(bytes)) {
        words.add(new ArrayList<>(Arrays.asList(ByteAlphabet.text(word).split(""))));
      }
    }
    List<String> merges = new ArrayList<>();
    for (int merge = 0; merge < count; merge++) {
      Map<Long, Integer> counts = new TreeMap<>();
      for (List<String> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          long left = age.indexOf(word.get(i));
          counts.merge(left << 32 | age.indexOf(word.get(i + 1)), 1, Integer::sum);
        }
      }
      long best = -1;
      for (Map.Entry<Long, Integer> entry : counts.entrySet()) {
        if (best < 0 || entry.getValue() > counts.getOrDefault(best, 0)) {
          best = entry.getKey();
        }
      }
      String left = age.get((int) (best >>> 32));
      String right = age.get((int) best);
      merges.add(left + " " + right);
      age.add(left + right);
      for (List<String> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          if (word.get(i).equals(left) && word.get(i + 1).equals(right)) {
            word.set(i, left + right);
            word.remove(i + 1);
          }
        }
      }
    }
    return merges;
  }

  @Test
  void theVocabularyTokenizesAnythingAndBack(@TempDir Path folder) {
    Path file = folder.resolve("vocabulary.gguf");
    GgufWriter writer = new GgufWriter();
    train(TEXT, 280).forEach(writer::put);
    writer.write(file);
    try (GgufFile gguf = GgufFile.open(file)) {
      Tokenizer tokenizer = Tokenizer.of(gguf.metadata());
      assertEquals(280, tokenizer.vocabularySize());
      assertEquals(0, tokenizer.bosId());
      assertTrue(tokenizer.isEndOfGeneration(0));
      assertArrayEquals(new int[] {0}, tokenizer.encode("<|endoftext|>", false, true));
      String text = "the cat naïve 😀 \n\n xyz";
      assertEquals(text, tokenizer.decode(tokenizer.encode(text, false, false)));
      assertEquals(1, tokenizer.encode(" the", false, false).length);
      byte[] bytes = new byte[500];
      SplittableRandom random = new SplittableRandom(1);
      random.nextBytes(bytes);
      java.io.ByteArrayOutputStream back = new java.io.ByteArrayOutputStream();
      for (int id : tokenizer.encode(bytes, false, false)) {
        back.writeBytes(tokenizer.bytes(id));
      }
      assertArrayEquals(bytes, back.toByteArray());
    }
  }

  @Test
  void refusesWhatTheTextCantGive() {
    BadArgumentException tooSmall =
        assertThrows(BadArgumentException.class, () -> train(TEXT, 256));
    assertTrue(tooSmall.getMessage().contains("257"), tooSmall.getMessage());
    BadArgumentException tooLarge =
        assertThrows(BadArgumentException.class, () -> train(TEXT, 5000));
    assertTrue(tooLarge.getMessage().contains("more text"), tooLarge.getMessage());
  }
}
