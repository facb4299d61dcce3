package io.smallmind.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tokens that stand for themselves in a text, before anything is split further: the
 * longest at each place. Immutable and thread-safe.
 */
final class SpecialTokens {
  /**
   * A part of a text.
   *
   * @param begin first byte
   * @param end behind the last byte
   * @param token the special token that it is, or −1 for plain text
   */
  record Part(int begin, int end, int token) {}

  /**
   * A token that stands for itself.
   *
   * @param control whether it steers the model, by its type
   * @param markup whether it steers the model, by its looks: files differ in its type
   */
  private record Special(String bytes, int token, boolean control, boolean markup) {}

  private final Map<Character, List<Special>> byFirst = new HashMap<>();

  SpecialTokens(Vocabulary vocabulary) {
    for (int id = 0; id < vocabulary.size(); id++) {
      int type = vocabulary.types[id];
      boolean control = type == Vocabulary.CONTROL || type == Vocabulary.UNKNOWN;
      if (!control && type != Vocabulary.USER_DEFINED) {
        continue;
      }
      String bytes = vocabulary.entry(id);
      if (!bytes.isEmpty()) {
        byFirst
            .computeIfAbsent(bytes.charAt(0), first -> new ArrayList<>())
            .add(new Special(bytes, id, control, isMarkup(bytes) || steers(vocabulary, id)));
      }
    }
    for (List<Special> each : byFirst.values()) {
      each.sort(Comparator.comparingInt((Special special) -> -special.bytes().length()));
    }
  }

  /**
   * Splits a text.
   *
   * @param text bytes
   * @param control whether control tokens count too, and not only those of the vocabulary's user
   * @param foreign the bytes that are not trusted: no token that steers the model is made of them
   */
  List<Part> split(String text, boolean control, BitSet foreign) {
    List<Part> parts = new ArrayList<>();
    int begin = 0;
    for (int at = 0; at < text.length(); ) {
      Special special = at(text, at, control, foreign);
      if (special == null) {
        at++;
        continue;
      }
      if (at > begin) {
        parts.add(new Part(begin, at, -1));
      }
      begin = at + special.bytes().length();
      parts.add(new Part(at, begin, special.token()));
      at = begin;
    }
    if (begin < text.length()) {
      parts.add(new Part(begin, text.length(), -1));
    }
    return parts;
  }

  private static boolean steers(Vocabulary vocabulary, int id) {
    return id == vocabulary.bos || vocabulary.endsTurn(id);
  }

  private static boolean isMarkup(String bytes) {
    String text = Vocabulary.text(bytes);
    return text.startsWith("<|") && text.endsWith("|>")
        || text.startsWith("<\uff5c") && text.endsWith("\uff5c>")
        || text.endsWith("_of_turn>")
        || text.equals("<s>")
        || text.equals("</s>")
        || text.equals("[INST]")
        || text.equals("[/INST]");
  }

  private @Nullable Special at(String text, int at, boolean control, BitSet foreign) {
    List<Special> candidates = byFirst.get(text.charAt(at));
    if (candidates != null) {
      for (Special special : candidates) {
        if ((control || !special.control())
            && text.startsWith(special.bytes(), at)
            && (!(special.control() || special.markup())
                || isTrusted(foreign, at, at + special.bytes().length()))) {
          return special;
        }
      }
    }
    return null;
  }

  private static boolean isTrusted(BitSet foreign, int begin, int end) {
    int next = foreign.nextSetBit(begin);
    return next < 0 || next >= end;
  }
}
