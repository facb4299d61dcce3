package io.smallmind.sampling;

import io.smallmind.error.BadArgumentException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Turns JSON schemas into grammars. Objects are written with their properties in the schema's
 * order; properties that a schema doesn't name appear only where {@code additionalProperties}
 * allows them.
 *
 * <p>Supported are type (one or several), enum, const, properties, required, additionalProperties,
 * items, prefixItems, minItems, maxItems, minLength, maxLength, format (date, time, date-time,
 * uuid), anyOf, oneOf, and $ref to definitions in the same schema. Any other keyword that would
 * restrict the text is refused.
 */
public final class JsonSchema {
  /** The grammar of all JSON values, with little white space. */
  static final String ANY_JSON =
      """
      root ::= value
      """
          + JsonRules.COMMON;

  private static final Set<String> SILENT =
      Set.of(
          "$schema",
          "$id",
          "$defs",
          "definitions",
          "$comment",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$anchor");

  private static final Set<String> KNOWN =
      Set.of(
          "type",
          "enum",
          "const",
          "properties",
          "required",
          "additionalProperties",
          "items",
          "prefixItems",
          "minItems",
          "maxItems",
          "minLength",
          "maxLength",
          "format",
          "anyOf",
          "oneOf",
          "$ref");

  private static final int MAX_COUNT = 10_000;

  /** Deepest nesting of schemas, also by way of references. */
  private static final int MAX_DEPTH = 200;

  /** Longest name of a property, where other properties are allowed. */
  private static final int MAX_NAME = 200;

  private final Object root;
  private final StringBuilder rules = new StringBuilder();
  private final Map<String, String> references = new HashMap<>(); // rule by pointer
  private int names;
  private int depth;

  private JsonSchema(Object root) {
    this.root = root;
  }

  /**
   * Returns the grammar of the JSON texts that a schema accepts.
   *
   * @throws BadArgumentException if it is no JSON, too large or too deep, contradicts itself, or
   *     asks for what is not supported
   */
  public static Grammar compile(String schema) {
    Object root = JsonReader.read(schema);
    JsonSchema compiler = new JsonSchema(root);
    String body = compiler.schema(root, "#");
    return Grammar.parse("root ::= " + body + "\n" + compiler.rules + JsonRules.COMMON);
  }

  private static BadArgumentException error(String path, String problem) {
    return new BadArgumentException("JSON schema, " + path + ": " + problem);
  }

  private String rule(String body) {
    String name = "r" + names++;
    define(name, body);
    return name;
  }

  private void define(String name, String body) {
    rules.append(name).append(" ::= ").append(body).append('\n');
    if (rules.length() > Grammar.MAX_LENGTH) {
      throw error("#", "too large; simplify it");
    }
  }

  /** Returns an element that says what a schema accepts. */
  private String schema(Object schema, String path) {
    if (++depth > MAX_DEPTH) {
      throw error(cut(path), "nested deeper than " + MAX_DEPTH + ", references included");
    }
    String element = element(schema, path);
    depth--;
    return element;
  }

  private static String cut(String path) {
    return path.length() < 200 ? path : path.substring(0, 200) + "…";
  }

  private String element(Object schema, String path) {
    if (schema instanceof Boolean any) {
      if (!any) {
        throw error(path, "nothing is accepted");
      }
      return "value";
    }
    Map<?, ?> map = map(schema, path);
    Set<String> unknown = new TreeSet<>();
    for (Object key : map.keySet()) {
      if (!SILENT.contains(key) && !KNOWN.contains(key)) {
        unknown.add((String) key);
      }
    }
    if (!unknown.isEmpty()) {
      throw error(
          path,
          unknown + " is not supported; supported are " + String.join(", ", new TreeSet<>(KNOWN)));
    }
    if (map.get("$ref") instanceof String pointer) {
      return reference(pointer, path);
    }
    if (map.containsKey("const")) {
      return JsonRules.literal(JsonRules.write(JsonRules.present(map, "const")));
    }
    if (map.get("enum") instanceof List<?> values) {
      List<String> ways = new ArrayList<>();
      values.forEach(value -> ways.add(JsonRules.literal(JsonRules.write(value))));
      return choice(ways, path + "/enum");
    }
    for (String key : List.of("anyOf", "oneOf")) {
      if (map.get(key) instanceof List<?> ways) {
        List<String> bodies = new ArrayList<>();
        for (Object way : ways) {
          bodies.add(schema(way, path + "/" + key + "/" + bodies.size()));
        }
        return choice(bodies, path + "/" + key);
      }
    }
    return byType(map, path);
  }

  private static Map<?, ?> map(Object value, String path) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw error(path, "a schema should be here");
  }

  private String choice(List<String> ways, String path) {
    if (ways.isEmpty()) {
      throw error(path, "nothing is accepted");
    }
    return "(" + String.join(" | ", ways) + ")";
  }

  private String byType(Map<?, ?> map, String path) {
    Object type = map.get("type");
    if (type instanceof List<?> types) {
      List<String> ways = new ArrayList<>();
      types.forEach(each -> ways.add(ofType(each, map, path)));
      return choice(ways, path + "/type");
    }
    if (type == null) {
      if (map.containsKey("properties") || map.containsKey("additionalProperties")) {
        return object(map, path);
      }
      if (map.containsKey("items") || map.containsKey("prefixItems")) {
        return array(map, path);
      }
      return map.containsKey("minLength")
              || map.containsKey("maxLength")
              || map.containsKey("format")
          ? string(map, path)
          : "value";
    }
    return ofType(type, map, path);
  }

  private String ofType(Object type, Map<?, ?> map, String path) {
    if (type instanceof String name) {
      switch (name) {
        case "object" -> {
          return object(map, path);
        }
        case "array" -> {
          return array(map, path);
        }
        case "string" -> {
          return string(map, path);
        }
        case "number", "integer", "boolean", "null" -> {
          return name;
        }
        default -> {}
      }
    }
    throw error(path, "unknown type " + type);
  }

  private String reference(String pointer, String path) {
    String known = references.get(pointer);
    if (known != null) {
      return known;
    }
    Object target = root;
    if (!pointer.equals("#") && !pointer.startsWith("#/")) {
      throw error(path, "$ref '" + pointer + "' leads out of the schema");
    }
    String[] steps = pointer.equals("#") ? new String[0] : pointer.substring(2).split("/", -1);
    for (String step : steps) {
      String key = step.replace("~1", "/").replace("~0", "~");
      Object next = target instanceof Map<?, ?> map ? map.get(key) : null;
      if (next == null) {
        throw error(path, "$ref '" + pointer + "' leads nowhere");
      }
      target = next;
    }
    String name = "ref" + references.size();
    references.put(pointer, name);
    define(name, schema(target, pointer));
    return name;
  }

  private static int count(Map<?, ?> map, String key, int absent, String path) {
    Object value = map.get(key);
    if (value == null) {
      return absent;
    }
    if (value instanceof JsonReader.Number number && number.text().matches("[0-9]{1,5}")) {
      int count = Integer.parseInt(number.text());
      if (count <= MAX_COUNT) {
        return count;
      }
    }
    throw error(path, key + " should be an integer from 0 to " + MAX_COUNT);
  }

  private static String times(int least, int most, String path) {
    if (most >= 0 && most < least) {
      throw error(path, "the most is less than the least");
    }
    return "{" + least + "," + (most < 0 ? "" : most) + "}";
  }

  private String string(Map<?, ?> map, String path) {
    Object format = map.get("format");
    if (format != null) {
      String rule = JsonRules.FORMATS.get(String.valueOf(format));
      if (rule == null || map.containsKey("minLength") || map.containsKey("maxLength")) {
        throw error(
            path,
            "format "
                + format
                + " is not supported, or not with a length; supported are "
                + new TreeSet<>(JsonRules.FORMATS.keySet()));
      }
      return rule;
    }
    int least = count(map, "minLength", 0, path);
    int most = count(map, "maxLength", -1, path);
    return least == 0 && most < 0
        ? "string"
        : rule("\"\\\"\" char" + times(least, most, path) + " \"\\\"\"");
  }

  private String array(Map<?, ?> map, String path) {
    int least = count(map, "minItems", 0, path);
    int most = count(map, "maxItems", -1, path);
    if (map.get("prefixItems") instanceof List<?> items) {
      if (map.containsKey("items") && !Boolean.FALSE.equals(map.get("items"))
          || least > items.size()
          || most >= 0 && most < items.size()) {
        throw error(path, "prefixItems is supported for exactly these items only");
      }
      StringBuilder body = new StringBuilder("\"[\" ws ");
      for (int i = 0; i < items.size(); i++) {
        body.append(i == 0 ? "" : "comma ");
        body.append(schema(items.get(i), path + "/prefixItems/" + i)).append(' ');
      }
      return rule(body + "ws \"]\"");
    }
    Object items = map.get("items");
    String item = items == null ? "value" : schema(items, path + "/items");
    times(least, most, path);
    if (most == 0) {
      return "(\"[\" ws \"]\")";
    }
    String all =
        item
            + " (comma "
            + item
            + ")"
            + times(Math.max(0, least - 1), most < 0 ? -1 : most - 1, path);
    return rule("\"[\" ws (" + all + ")" + (least == 0 ? "?" : "") + " ws \"]\"");
  }

  private String object(Map<?, ?> map, String path) {
    Object given = map.get("properties");
    Map<?, ?> properties = given == null ? Map.of() : map(given, path + "/properties");
    Object additional = map.get("additionalProperties");
    Set<?> required =
        map.get("required") instanceof List<?> list ? new LinkedHashSet<>(list) : Set.of();
    for (Object name : required) {
      if (!properties.containsKey(name)) {
        throw error(path, "required " + name + " is not among the properties");
      }
    }
    boolean open = additional == null ? given == null : !Boolean.FALSE.equals(additional);
    String first = "";
    String next = "";
    if (open) {
      String value =
          additional == null ? "value" : schema(additional, path + "/additionalProperties");
      List<String> names = new ArrayList<>();
      for (Object name : properties.keySet()) {
        if (((String) name).length() > MAX_NAME) {
          throw error(
              cut(path),
              "a property's name is longer than "
                  + MAX_NAME
                  + " characters; that is supported without additionalProperties only");
        }
        names.add((String) name);
      }
      String pair = rule("\"\\\"\" " + otherKey(names) + " \"\\\"\" colon " + value);
      first = "(" + pair + " (comma " + pair + ")*)?";
      next = "(comma " + pair + ")*";
    }
    List<Map.Entry<?, ?>> entries = new ArrayList<>(properties.entrySet());
    for (Map.Entry<?, ?> entry : entries.reversed()) {
      String name = (String) entry.getKey();
      String value = schema(entry.getValue(), path + "/properties/" + name);
      String pair = rule(JsonRules.literal(JsonRules.write(name)) + " colon " + value);
      boolean must = required.contains(name);
      String behind = rule(next);
      first = rule(pair + " " + behind + (must ? "" : " | " + first));
      next = rule("comma " + pair + " " + behind + (must ? "" : " | " + behind));
    }
    return rule("\"{\" ws " + first + " ws \"}\"");
  }

  /** Returns a rule for keys that are none of these. */
  private String otherKey(List<String> names) {
    if (names.isEmpty()) {
      return "char*";
    }
    Map<Integer, List<String>> byFirst = new LinkedHashMap<>();
    boolean ends = false;
    for (String name : names) {
      if (name.isEmpty()) {
        ends = true;
      } else {
        int first = name.codePointAt(0);
        byFirst
            .computeIfAbsent(first, key -> new ArrayList<>())
            .add(name.substring(Character.charCount(first)));
      }
    }
    StringBuilder others = new StringBuilder("[^\\\"\\\\\\x00-\\x1f");
    byFirst.keySet().forEach(point -> others.append("\\U%08x".formatted(point)));
    List<String> ways = new ArrayList<>();
    ways.add(others + "] plain*");
    byFirst.forEach((point, rest) -> ways.add("[\\U%08x] ".formatted(point) + otherKey(rest)));
    if (!ends) {
      ways.add("\"\"");
    }
    return rule(String.join(" | ", ways));
  }
}
