package io.smallmind.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Validates JSON by the few words of JSON Schema that ours is written in; others are an error. */
final class JsonSchema {
  private static final Set<String> SILENT = Set.of("$schema", "title", "description");

  private final List<String> errors = new ArrayList<>();

  private JsonSchema() {}

  /**
   * Returns the result in a file.
   *
   * @throws AssertionError if it is not what the published schema says
   */
  static JsonObject valid(Path file) throws IOException {
    JsonObject report = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    try (InputStream stream = Main.class.getResourceAsStream("schema-2.json")) {
      String schema =
          new String(Objects.requireNonNull(stream).readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(List.of(), validate(report, JsonParser.parseString(schema).getAsJsonObject()));
    }
    return report;
  }

  /** Returns what is wrong with a document; empty if nothing is. */
  static List<String> validate(JsonElement document, JsonObject schema) {
    JsonSchema run = new JsonSchema();
    run.check("$", document, schema);
    return run.errors;
  }

  private void check(String path, JsonElement value, JsonObject schema) {
    for (String word : schema.keySet()) {
      JsonElement rule = schema.get(word);
      switch (word) {
        case "type" -> expect(isOfType(value, rule), path, "is not of type " + rule);
        case "const" -> expect(value.equals(rule), path, "is not " + rule);
        case "enum" -> expect(contains(rule.getAsJsonArray(), value), path, "not in " + rule);
        case "minimum" ->
            expect(
                !value.isJsonPrimitive() || value.getAsDouble() >= rule.getAsDouble(),
                path,
                "is below " + rule);
        case "required" -> {
          if (value.isJsonObject()) {
            for (JsonElement name : rule.getAsJsonArray()) {
              expect(value.getAsJsonObject().has(name.getAsString()), path, "lacks " + name);
            }
          }
        }
        case "items" -> {
          if (value.isJsonArray()) {
            int i = 0;
            for (JsonElement item : value.getAsJsonArray()) {
              check(path + "[" + i++ + "]", item, rule.getAsJsonObject());
            }
          }
        }
        case "properties", "additionalProperties" -> {}
        default -> expect(SILENT.contains(word), path, "unknown word in the schema: " + word);
      }
    }
    if (value.isJsonObject()) {
      checkMembers(path, value.getAsJsonObject(), schema);
    }
  }

  private void checkMembers(String path, JsonObject value, JsonObject schema) {
    JsonObject properties =
        schema.has("properties") ? schema.getAsJsonObject("properties") : new JsonObject();
    JsonElement others = schema.get("additionalProperties");
    for (String name : value.keySet()) {
      String member = path + "." + name;
      if (properties.has(name)) {
        check(member, value.get(name), properties.getAsJsonObject(name));
      } else if (others != null && others.isJsonObject()) {
        check(member, value.get(name), others.getAsJsonObject());
      } else {
        expect(others == null, member, "is not in the schema");
      }
    }
  }

  private static boolean isOfType(JsonElement value, JsonElement type) {
    if (type.isJsonArray()) {
      for (JsonElement one : type.getAsJsonArray()) {
        if (isOfType(value, one)) {
          return true;
        }
      }
      return false;
    }
    boolean primitive = value.isJsonPrimitive();
    return switch (type.getAsString()) {
      case "object" -> value.isJsonObject();
      case "array" -> value.isJsonArray();
      case "null" -> value.isJsonNull();
      case "string" -> primitive && value.getAsJsonPrimitive().isString();
      case "boolean" -> primitive && value.getAsJsonPrimitive().isBoolean();
      case "number" -> primitive && value.getAsJsonPrimitive().isNumber();
      case "integer" ->
          primitive
              && value.getAsJsonPrimitive().isNumber()
              && value.getAsDouble() == Math.rint(value.getAsDouble());
      default -> false;
    };
  }

  private static boolean contains(JsonArray values, JsonElement value) {
    for (JsonElement one : values) {
      boolean numbers = one.isJsonPrimitive() && one.getAsJsonPrimitive().isNumber();
      if (one.equals(value)
          || (numbers && value.isJsonPrimitive() && one.getAsDouble() == value.getAsDouble())) {
        return true;
      }
    }
    return false;
  }

  private void expect(boolean right, String path, String problem) {
    if (!right) {
      errors.add(path + " " + problem);
    }
  }
}
