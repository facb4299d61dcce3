package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import io.smallmind.sampling.GrammarNode.Characters;
import io.smallmind.sampling.GrammarNode.Choice;
import io.smallmind.sampling.GrammarNode.Reference;
import io.smallmind.sampling.GrammarNode.Repeat;
import io.smallmind.sampling.GrammarNode.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;

/** Checks rules, and turns them into a table of elements over bytes. Not thread-safe. */
final class GrammarCompiler {
  /** Most parts of rules that the checks look at, again and again where rules depend on others. */
  private static final int MAX_LOOKS = 50_000_000;

  private final String text;
  private final Map<String, GrammarParser.Rule> rules;
  private final Map<String, Integer> begins = new HashMap<>();
  private final Set<String> empty = new HashSet<>(); // rules that can take nothing
  private final Set<String> ending = new HashSet<>(); // rules that can come to an end

  private final List<String> names = new ArrayList<>(); // of the rules that calls name

  private int[] kinds = new int[256];
  private int[] first = new int[256];
  private int[] second = new int[256];
  private int size;
  private int work;
  private int looks;

  GrammarCompiler(String text, Map<String, GrammarParser.Rule> rules) {
    this.text = text;
    this.rules = rules;
  }

  GrammarRules compile() {
    if (!rules.containsKey("root")) {
      throw GrammarParser.error(text, text.length(), "there is no rule 'root'");
    }
    rules.values().forEach(rule -> checkNames(rule.body()));
    // Rules mostly refer to rules behind them: from the last one on, few rounds are enough.
    List<Map.Entry<String, GrammarParser.Rule>> backward = List.copyOf(rules.entrySet()).reversed();
    for (boolean changed = true; changed; ) {
      changed = false;
      for (Map.Entry<String, GrammarParser.Rule> rule : backward) {
        changed |= isEmpty(rule.getValue().body()) && empty.add(rule.getKey());
        changed |= ends(rule.getValue().body()) && ending.add(rule.getKey());
      }
    }
    for (Map.Entry<String, GrammarParser.Rule> rule : rules.entrySet()) {
      if (!ending.contains(rule.getKey())) {
        throw GrammarParser.error(
            text, rule.getValue().at(), "no text of the rule '" + rule.getKey() + "' ever ends");
      }
    }
    refuseLeftRecursion();
    for (Map.Entry<String, GrammarParser.Rule> rule : rules.entrySet()) {
      begins.put(rule.getKey(), size);
      emit(rule.getValue().body());
      element(GrammarRules.END, 0, 0);
    }
    // Calls were emitted with the position of their reference; now the rules' begins are known.
    for (int i = 0; i < size; i++) {
      if (kinds[i] == GrammarRules.CALL) {
        first[i] = begins.getOrDefault(names.get(first[i]), 0);
      }
    }
    return new GrammarRules(
        Arrays.copyOf(kinds, size),
        Arrays.copyOf(first, size),
        Arrays.copyOf(second, size),
        begins.getOrDefault("root", 0));
  }

  private void checkNames(GrammarNode node) {
    if (node instanceof Reference reference && !rules.containsKey(reference.name())) {
      throw GrammarParser.error(
          text, reference.at(), "the rule '" + reference.name() + "' is not defined");
    }
    parts(node).forEach(this::checkNames);
  }

  private static List<GrammarNode> parts(GrammarNode node) {
    if (node instanceof Sequence sequence) {
      return sequence.parts();
    }
    if (node instanceof Choice choice) {
      return choice.ways();
    }
    return node instanceof Repeat repeat ? List.of(repeat.part()) : List.of();
  }

  private void look() {
    if (++looks > MAX_LOOKS) {
      throw new BadArgumentException(
          "the grammar's rules depend on each other in too many ways; simplify it");
    }
  }

  private boolean isEmpty(GrammarNode node) {
    look();
    if (node instanceof Reference reference) {
      return empty.contains(reference.name());
    }
    if (node instanceof Choice choice) {
      return choice.ways().stream().anyMatch(this::isEmpty);
    }
    if (node instanceof Repeat repeat) {
      return repeat.least() == 0 || isEmpty(repeat.part());
    }
    return node instanceof Sequence sequence && sequence.parts().stream().allMatch(this::isEmpty);
  }

  private boolean ends(GrammarNode node) {
    look();
    if (node instanceof Reference reference) {
      return ending.contains(reference.name());
    }
    if (node instanceof Choice choice) {
      return choice.ways().stream().anyMatch(this::ends);
    }
    if (node instanceof Repeat repeat) {
      return repeat.least() == 0 || ends(repeat.part());
    }
    return parts(node).stream().allMatch(this::ends);
  }

  private void refuseLeftRecursion() {
    Map<String, Set<String>> lefts = new HashMap<>();
    rules.forEach(
        (name, rule) -> {
          Set<String> left = new HashSet<>();
          collectLeft(rule.body(), left);
          lefts.put(name, left);
        });
    // Takes away rules that begin with none of those that are left; a cycle is what stays.
    Set<String> left = new HashSet<>(rules.keySet());
    List<String> backward = List.copyOf(rules.keySet()).reversed();
    for (boolean changed = true; changed; ) {
      changed = false;
      for (String name : backward) {
        look();
        if (left.contains(name) && isApart(lefts.getOrDefault(name, Set.of()), left)) {
          left.remove(name);
          changed = true;
        }
      }
    }
    for (Map.Entry<String, GrammarParser.Rule> rule : rules.entrySet()) {
      if (left.contains(rule.getKey())) {
        throw GrammarParser.error(
            text,
            rule.getValue().at(),
            "the rule '" + rule.getKey() + "' begins with itself, by way of others maybe");
      }
    }
  }

  private boolean isApart(Set<String> names, Set<String> others) {
    for (String name : names) {
      look();
      if (others.contains(name)) {
        return false;
      }
    }
    return true;
  }

  /** Collects the rules that can be at a node's beginning. */
  private void collectLeft(GrammarNode node, Set<String> left) {
    look();
    if (node instanceof Reference reference) {
      left.add(reference.name());
    } else if (node instanceof Sequence sequence) {
      for (GrammarNode part : sequence.parts()) {
        collectLeft(part, left);
        if (!isEmpty(part)) {
          return;
        }
      }
    } else {
      parts(node).forEach(part -> collectLeft(part, left));
    }
  }

  private int element(int kind, int one, int two) {
    if (size >= Grammar.MAX_ELEMENTS) {
      throw new BadArgumentException(
          "the grammar has more than "
              + Grammar.MAX_ELEMENTS
              + " elements with its repetitions written out; simplify it");
    }
    if (size == kinds.length) {
      kinds = Arrays.copyOf(kinds, 2 * size);
      first = Arrays.copyOf(first, 2 * size);
      second = Arrays.copyOf(second, 2 * size);
    }
    kinds[size] = kind;
    first[size] = one;
    second[size] = two;
    return size++;
  }

  private void emit(GrammarNode node) {
    if (++work > 8 * Grammar.MAX_ELEMENTS) {
      throw new BadArgumentException("the grammar repeats too much; simplify it");
    }
    if (node instanceof Characters characters) {
      emitWays(Utf8Ranges.of(characters.ranges()));
    } else if (node instanceof Reference reference) {
      names.add(reference.name());
      element(GrammarRules.CALL, names.size() - 1, 0);
    } else if (node instanceof Sequence sequence) {
      sequence.parts().forEach(this::emit);
    } else if (node instanceof Choice choice) {
      emitChoice(choice.ways().size(), i -> emit(choice.ways().get(i)));
    } else if (node instanceof Repeat repeat) {
      emitRepeat(repeat);
    }
  }

  private void emitWays(List<int[]> sequences) {
    emitChoice(
        sequences.size(),
        i -> {
          int[] bytes = sequences.get(i);
          for (int at = 0; at < bytes.length; at += 2) {
            element(GrammarRules.BYTES, bytes[at], bytes[at + 1]);
          }
        });
  }

  private void emitChoice(int ways, IntConsumer emitter) {
    int[] jumps = new int[ways];
    for (int i = 0; i < ways - 1; i++) {
      int fork = element(GrammarRules.CHOICE, size + 1, 0);
      emitter.accept(i);
      jumps[i] = element(GrammarRules.JUMP, 0, 0);
      second[fork] = size;
    }
    if (ways > 0) {
      emitter.accept(ways - 1);
    }
    for (int i = 0; i < ways - 1; i++) {
      first[jumps[i]] = size;
    }
  }

  private void emitRepeat(Repeat repeat) {
    for (int i = 0; i < repeat.least(); i++) {
      emit(repeat.part());
    }
    if (repeat.most() < 0) {
      int fork = element(GrammarRules.CHOICE, size + 1, 0);
      emit(repeat.part());
      element(GrammarRules.JUMP, fork, 0);
      second[fork] = size;
      return;
    }
    int optional = repeat.most() - repeat.least();
    int[] forks = new int[optional];
    for (int i = 0; i < optional; i++) {
      forks[i] = element(GrammarRules.CHOICE, size + 1, 0);
      emit(repeat.part());
    }
    for (int fork : forks) {
      second[fork] = size;
    }
  }
}
