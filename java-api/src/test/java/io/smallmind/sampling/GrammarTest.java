package io.smallmind.sampling;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import io.smallmind.FinishReason;
import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.error.BadArgumentException;
import io.smallmind.gguf.GgufFile;
import io.smallmind.testing.TestData;
import io.smallmind.tokenizer.StreamingDecoder;
import io.smallmind.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Grammars and schemas: what they accept, what they refuse, and that generated text keeps to them.
 */
final class GrammarTest {
  private static final String PERSON =
      """
      {"type": "object",
       "properties": {
         "name": {"type": "string", "minLength": 1, "maxLength": 5},
         "age": {"type": "integer"},
         "kind": {"enum": ["a", "b\\"", 3, null]},
         "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "maxItems": 2}},
       "required": ["name", "tags"],
       "$defs": {"tag": {"anyOf": [{"type": "boolean"}, {"const": "x"}]}}}
      """;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "root ::= \"a\" | \"bc\"*;a,bc,bcbc,_;b,ab,bcb",
        "root ::= [a-c]+ [^0-9] [0-9]{2,3};ab12,aé123,cc€99;a12,ab1,ab1234",
        "root ::= (\"x\" | y)? \"z\"{2} # comment$y ::= [\\x41\\u00e9];zz,xzz,Azz,ézz;z,yzz,xzzz",
        "root ::= \"(\" root \")\" | \"\";_,(),(());(,())",
        "root ::= .{1,2};a,é€,😀😀;_,abc",
        "root ::= a{2,} \"-\"$a ::= [ab]$ | [cd];ab-,abcd-;a-,-"
      })
  void knowsItsLanguage(String gbnf, String members, String others) {
    Grammar grammar = Grammar.parse(gbnf.replace('$', '\n'));
    for (String text : members.split(",", -1)) {
      assertTrue(grammar.matches(text.replace("_", "")), gbnf + " should accept '" + text + "'");
    }
    for (String text : others.split(",", -1)) {
      assertFalse(grammar.matches(text.replace("_", "")), gbnf + " should refuse '" + text + "'");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "root ::= root \"a\" | \"b\"",
        "root ::= a\na ::= b? root \"x\"\nb ::= \"y\"",
        "root ::= missing",
        "root ::= \"a\" root",
        "root ::= \"abc",
        "root ::= [a-",
        "root ::= [z-a]",
        "root ::= (\"a\"",
        "root ::= \"a\")",
        "root ::= \"a\"{3,2}",
        "root ::= \"a\"{9999999}",
        "root ::= \"\\q\"",
        "root ::= \"a\"\nroot ::= \"b\"",
        "root \"a\"",
        "other ::= \"a\""
      })
  void namesThePlaceOfMistakes(String gbnf) {
    BadArgumentException e = assertThrows(BadArgumentException.class, () -> Grammar.parse(gbnf));
    assertTrue(
        Pattern.compile("grammar, line [12], column [0-9]+: ").matcher(e.getMessage()).find(),
        e.getMessage());
  }

  @Test
  void boundsWhatItTakes() {
    for (String gbnf :
        List.of(
            "root ::= ((((\"a\"{1000}){1000}){1000}){1000})",
            "root ::= ((((\"\"{99999}){99999}){99999}){99999})",
            "root ::= " + "(".repeat(50_000),
            "root ::= \"a\"" + "*".repeat(50_000),
            " ".repeat(Grammar.MAX_LENGTH + 1))) {
      assertThrows(BadArgumentException.class, () -> Grammar.parse(gbnf));
    }
    Grammar nested = Grammar.parse("root ::= \"(\" root \")\" | \"\"");
    assertFalse(nested.matches("(".repeat(5000) + ")".repeat(5000)));
    assertTrue(Grammar.parse("root ::= (\"a\"?)* (\"a\"*)*").matches("a".repeat(5000)));
  }

  @Test
  @Timeout(300)
  void boundsWhatRulesCost() {
    // Each rule refers to the next one, the one before, or many others: the checks must not take
    // time by the square.
    int count = 30_000;
    StringBuilder down = new StringBuilder("root ::= r0\n");
    StringBuilder up = new StringBuilder("root ::= r" + (count - 1) + "\n");
    StringBuilder wide = new StringBuilder("root ::= \"x\"\n");
    for (int i = 0; i < count; i++) {
      String last = i < count - 1 ? "r" + (i + 1) : "\"x\"?";
      down.append("r").append(i).append(" ::= ").append(last).append('\n');
      up.append("r")
          .append(i)
          .append(" ::= ")
          .append(i > 0 ? "r" + (i - 1) : "\"x\"?")
          .append('\n');
    }
    String all = IntStream.range(0, 5000).mapToObj(i -> "w" + i + "?").collect(joining(" "));
    for (int i = 0; i < 5000; i++) {
      wide.append("w").append(i).append(" ::= ").append(i < 4980 ? "\"x\"" : "\"y\" " + all);
      wide.append('\n');
    }
    Grammar.parse(down.toString());
    assertThrows(BadArgumentException.class, () -> Grammar.parse(wide.toString()));
    assertThrows(BadArgumentException.class, () -> Grammar.parse(up.toString()));
  }

  @Test
  void manyRulesMayRepeat() {
    StringBuilder rules = new StringBuilder("root ::= " + "\"a\"? ".repeat(100) + "r0\n");
    for (int i = 0; i < 500; i++) {
      rules.append("r" + i + " ::= [b]* (\"c\"+ \"-\")? [d]{0,3} \".\" r" + (i + 1) + "\n");
    }
    assertTrue(Grammar.parse(rules + "r500 ::= \"!\"").matches("aaa" + "cc-d.".repeat(500) + "!"));
    String properties =
        IntStream.range(0, 200)
            .mapToObj(i -> "\"p" + i + "\": {\"type\": \"array\", \"items\": {}}")
            .collect(joining(", "));
    Grammar wide = JsonSchema.compile("{\"properties\": {" + properties + "}}");
    assertTrue(wide.matches("{\"p0\": [1], \"p150\": []}"));
  }

  /** Grammars that are small, but can be read in a great many ways. */
  @Test
  @Timeout(300)
  void boundsWhatReadingCosts() {
    List<String> gbnfs =
        List.of(
            "root ::= ([a-z]? [a-z]? [a-z]? [a-z]?){200} \"!\"",
            "root ::= x\nx ::= [a-z] x [a-z]* | [a-z]* \"!\"",
            "root ::= a\na ::= [a-z] a a a | [a-z] a a | [a-z] a | [a-z]",
            "root ::= .{0,20000} \"!\"");
    try (GgufFile file = GgufFile.open(TestData.path("vocab/llama-spm.gguf"))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      float[] scores = new float[tokenizer.vocabularySize()];
      int letters = tokenizer.encode("abcdefg", false, false)[1];
      for (String gbnf : gbnfs) {
        try {
          TokenConstraint constraint = Grammar.parse(gbnf).begin(tokenizer);
          for (int step = 0; step < 5; step++) {
            java.util.Arrays.fill(scores, 0);
            constraint.mask(scores);
            constraint.accept(letters);
          }
        } catch (BadArgumentException refused) {
          assertTrue(refused.getMessage().contains("simplify it"), refused.getMessage());
        }
      }
    }
  }

  @Test
  void acceptsJson() {
    for (String text :
        List.of("{}", "[1, 2.5e-3, true, null]", "{\"a\": [{\"b\": \"\\u00e9\\n\"}]}")) {
      assertTrue(Grammar.json().matches(text), text);
    }
    for (String text : List.of("", "{", "[1,]", "01", "\"\n\"", "{a: 1}", "1 ")) {
      assertFalse(Grammar.json().matches(text), text);
    }
  }

  @Test
  void acceptsWhatTheSchemaDoes() {
    Grammar person = JsonSchema.compile(PERSON);
    for (String text :
        List.of(
            "{\"name\": \"Bo\", \"tags\": []}",
            "{\"name\":\"Bo\",\"age\":-3,\"kind\":\"b\\\"\",\"tags\":[true, \"x\"]}",
            "{\"name\": \"é\", \"kind\": null, \"tags\": [false]}")) {
      assertTrue(person.matches(text), text);
    }
    for (String text :
        List.of(
            "{}",
            "{\"name\": \"\", \"tags\": []}",
            "{\"name\": \"abcdef\", \"tags\": []}",
            "{\"tags\": [], \"name\": \"Bo\"}",
            "{\"name\": \"Bo\", \"tags\": [true, true, true]}",
            "{\"name\": \"Bo\", \"tags\": [], \"more\": 1}",
            "{\"name\": \"Bo\", \"age\": 1.5, \"tags\": []}")) {
      assertFalse(person.matches(text), text);
    }
    Grammar open =
        JsonSchema.compile(
            "{\"properties\": {\"ab\": {\"type\": \"integer\"}},"
                + " \"additionalProperties\": {\"type\": \"null\"}}");
    assertTrue(open.matches("{\"ab\": 1, \"a\": null, \"abc\": null, \"x\": null}"));
    assertTrue(open.matches("{\"x\": null}"));
    assertFalse(open.matches("{\"ab\": null}"));
    assertFalse(open.matches("{\"x\": 1}"));
    Grammar tree =
        JsonSchema.compile(
            "{\"type\": \"array\", \"items\": {\"$ref\": \"#\"}, \"minItems\": 1, \"maxItems\": 3}"
                .replace("\"minItems\": 1", "\"minItems\": 0"));
    assertTrue(tree.matches("[[], [[]]]"));
    assertFalse(tree.matches("[[], [], [], []]"));
    assertTrue(JsonSchema.compile("{\"format\": \"date\"}").matches("\"2024-02-29\""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "[]",
        "{\"type\": \"strange\"}",
        "{\"type\": \"string\", \"pattern\": \"a+\"}",
        "{\"$ref\": \"#/$defs/missing\"}",
        "{\"$ref\": \"http://example.com\"}",
        "{\"$ref\": \"#\"}",
        "{\"type\": \"array\", \"minItems\": 3, \"maxItems\": 2}",
        "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#\"}}",
        "{\"minLength\": -1}",
        "{\"enum\": []}",
        "{\"required\": [\"a\"], \"properties\": {}}",
        "{\"a\": 1, \"a\": 2}",
        "false"
      })
  void refusesSchemasItCannotKeep(String schema) {
    assertThrows(BadArgumentException.class, () -> JsonSchema.compile(schema));
  }

  @Test
  void refusesDeepSchemas() {
    assertThrows(
        BadArgumentException.class,
        () -> JsonSchema.compile("{\"items\":".repeat(5000) + "{}" + "}".repeat(5000)));
  }

  /** Schemas that grow or nest without looking so. */
  @Test
  @Timeout(300)
  void refusesSchemasThatExplode() {
    String doubled = "{}";
    for (int i = 0; i < 60; i++) {
      doubled = "{\"type\": [\"array\", \"array\"], \"items\": " + doubled + "}";
    }
    String chain =
        IntStream.range(0, 20_000)
            .mapToObj(i -> "\"a" + i + "\": {\"$ref\": \"#/$defs/a" + (i + 1) + "\"}")
            .collect(joining(","));
    String name = "a".repeat(100_000);
    for (String schema :
        List.of(
            doubled,
            "{\"$ref\": \"#/$defs/a0\", \"$defs\": {" + chain + ", \"a20000\": {}}}",
            "{\"properties\": {\"" + name + "\": {}}, \"additionalProperties\": true}",
            "{\"enum\": [" + "\"x\",".repeat(100_000) + "1]}")) {
      BadArgumentException e =
          assertThrows(BadArgumentException.class, () -> JsonSchema.compile(schema));
      assertTrue(e.getMessage().length() < 2000);
    }
    assertTrue(JsonSchema.compile("{\"properties\": {\"" + name + "\": {}}}").matches("{}"));
  }

  private static String text(Tokenizer tokenizer, int[] ids) {
    StreamingDecoder decoder = tokenizer.newDecoder();
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.accept(id));
    }
    return text.append(decoder.finish()).toString();
  }

  @Test
  void generatedTextKeepsToTheGrammar() {
    Grammar words = Grammar.parse("root ::= \"The \" (\"cat\" | \"dog\") \" \" [a-z]{2,9} \".\"");
    Grammar person = JsonSchema.compile(PERSON);
    List<Grammar> grammars =
        List.of(
            words,
            person,
            JsonSchema.compile(
                "{\"type\": \"array\","
                    + " \"items\": {\"enum\": [\"red\", \"é\"]}, \"minItems\": 2, \"maxItems\": 4}"));
    try (LanguageModel model = LanguageModel.load(TestData.path("models/stories260K.gguf"));
        Session session = model.newSession()) {
      for (int run = 0; run < 12; run++) {
        Grammar grammar = grammars.get(run % 3);
        GenerationOptions options =
            GenerationOptions.builder()
                .temperature(run < 3 ? 0 : 1.5)
                .seed(run)
                .maxTokens(250)
                .constraint(grammar)
                .build();
        GenerationResult result = session.generate("Once upon a time", options);
        String text = text(model.tokenizer(), result.ids());
        assertEquals(FinishReason.END, result.finishReason(), text);
        assertTrue(grammar.matches(text), text);
        if (grammar != words) {
          Gson gson = new GsonBuilder().setStrictness(Strictness.STRICT).create();
          assertTrue(gson.fromJson(text, JsonElement.class).isJsonObject() || run % 3 == 2);
        }
      }
      GenerationResult cut =
          session.generate(
              "Once",
              GenerationOptions.builder().temperature(0).maxTokens(3).constraint(words).build());
      assertEquals(FinishReason.LENGTH, cut.finishReason());
      assertTrue("The cat dog".contains(text(model.tokenizer(), cut.ids()).substring(0, 3)));
    }
  }

  /** Random walks through what the mask leaves: they end in texts of the language, always. */
  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "qwen2"})
  void randomWalksStayInTheLanguage(String vocabulary) {
    try (GgufFile file = GgufFile.open(TestData.path("vocab/" + vocabulary + ".gguf"))) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      Grammar person = JsonSchema.compile(PERSON);
      SplittableRandom random = new SplittableRandom(7);
      for (int walk = 0; walk < 10; walk++) {
        TokenConstraint constraint = person.begin(tokenizer);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean ended = false;
        for (int step = 0; step < 400 && !ended; step++) {
          float[] scores = new float[tokenizer.vocabularySize() + 3];
          constraint.mask(scores);
          List<Integer> left = new ArrayList<>();
          for (int id = 0; id < scores.length; id++) {
            if (scores[id] == 0) {
              left.add(id);
            }
          }
          int id = left.get(random.nextInt(left.size()));
          ended = tokenizer.isEndOfGeneration(id);
          assertTrue(!ended || constraint.isComplete());
          constraint.accept(id);
          if (!ended) {
            bytes.writeBytes(tokenizer.bytes(id));
          }
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        assertTrue(ended, text);
        assertTrue(person.matches(text), text);
        assertTrue(JsonParser.parseString(text).isJsonObject());
      }
    }
  }
}
