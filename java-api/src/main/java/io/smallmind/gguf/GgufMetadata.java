package io.smallmind.gguf;

import io.smallmind.error.BadModelFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values at the head of a GGUF file, in file order, with getters that check.
 *
 * <p>A getter without a default fails if the key is absent; every getter fails if the value has
 * another type than asked for. Those failures are {@link BadModelFileException}s that name file,
 * key and value. Array getters return fresh arrays: ask once and keep them. Immutable and
 * thread-safe, and independent of the file once read.
 */
public final class GgufMetadata {
  /** A value and the offset of its key in the file, in bytes. */
  record Entry(GgufValue value, long offset) {}

  private final String file;
  private final Map<String, Entry> entries;

  /** Takes over the map. */
  GgufMetadata(String file, LinkedHashMap<String, Entry> entries) {
    this.file = file;
    this.entries = Collections.unmodifiableMap(entries);
  }

  /** Returns these values without those whose keys begin like this. */
  GgufMetadata without(String prefix) {
    LinkedHashMap<String, Entry> rest = new LinkedHashMap<>(entries);
    rest.keySet().removeIf(key -> key.startsWith(prefix));
    return new GgufMetadata(file, rest);
  }

  /** Returns all keys in file order. */
  public Set<String> keys() {
    return entries.keySet();
  }

  /** Tells whether there is such a key. */
  public boolean has(String key) {
    return entries.containsKey(key);
  }

  /** Returns the value as it is, or null if there is no such key. */
  public @Nullable GgufValue find(String key) {
    Entry entry = entries.get(key);
    return entry == null ? null : entry.value();
  }

  /**
   * Returns the value as it is.
   *
   * @throws BadModelFileException if there is no such key
   */
  public GgufValue value(String key) {
    return entry(key).value();
  }

  /**
   * Returns the type of a value; for an array, ARRAY.
   *
   * @throws BadModelFileException if there is no such key
   */
  public GgufType type(String key) {
    return value(key).type();
  }

  /** Returns a string, with U+FFFD for what is not valid UTF-8. */
  public String string(String key) {
    return scalar(key, "a string", entry(key).value().type() == GgufType.STRING).stringAt(0);
  }

  /** Returns a string, or the default if there is no such key. */
  public String string(String key, String absent) {
    return has(key) ? string(key) : absent;
  }

  /** Returns an integer stored in any integer type; beyond 63 bits is an error. */
  public long integer(String key) {
    return integer(key, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  /** Returns an integer, or the default if there is no such key. */
  public long integer(String key, long absent) {
    return has(key) ? integer(key) : absent;
  }

  /** Returns an integer from min to max, both included; beyond is an error. */
  public long integer(String key, long min, long max) {
    GgufValue value = scalar(key, "an integer", entry(key).value().type().isInteger());
    long result = exact(key, value, 0);
    if (result < min || result > max) {
      throw fail(key, value.toString(), "is not from " + min + " to " + max);
    }
    return result;
  }

  /** Returns an integer from min to max, both included, or the default if there is no such key. */
  public long integer(String key, long min, long max, long absent) {
    return has(key) ? integer(key, min, max) : absent;
  }

  /** Returns a number stored in any floating-point or integer type. */
  public double real(String key) {
    GgufType type = entry(key).value().type();
    return number(scalar(key, "a number", type.isReal() || type.isInteger()), 0);
  }

  /** Returns a number, or the default if there is no such key. */
  public double real(String key, double absent) {
    return has(key) ? real(key) : absent;
  }

  /** Returns a truth value. */
  public boolean bool(String key) {
    return scalar(key, "a bool", entry(key).value().type() == GgufType.BOOL).boolAt(0);
  }

  /** Returns a truth value, or the default if there is no such key. */
  public boolean bool(String key, boolean absent) {
    return has(key) ? bool(key) : absent;
  }

  /** Returns the number of elements of an array. */
  public int length(String key) {
    GgufValue value = value(key);
    return array(key, "values", value.isArray()).length();
  }

  /** Returns an array of strings, with U+FFFD for what is not valid UTF-8. */
  public List<String> strings(String key) {
    GgufValue value = array(key, "strings", entry(key).value().elementType() == GgufType.STRING);
    List<String> strings = new ArrayList<>(value.length());
    for (int i = 0; i < value.length(); i++) {
      strings.add(value.stringAt(i));
    }
    return Collections.unmodifiableList(strings);
  }

  /** Returns an array of strings, or the default if there is no such key. */
  public List<String> strings(String key, List<String> absent) {
    return has(key) ? strings(key) : absent;
  }

  /** Returns the exact bytes of a string. */
  public byte[] bytes(String key) {
    return scalar(key, "a string", entry(key).value().type() == GgufType.STRING).bytesAt(0);
  }

  /** Returns the exact bytes of one string of an array. */
  public byte[] bytes(String key, int index) {
    GgufValue value = array(key, "strings", entry(key).value().elementType() == GgufType.STRING);
    if (index < 0 || index >= value.length()) {
      throw fail(key, "array of " + value.length(), "has no element " + index);
    }
    return value.bytesAt(index);
  }

  /**
   * Hands the exact bytes of each string of an array to an action, in their order: what remains in
   * a read-only buffer, which the next string reuses.
   */
  public void forEachString(String key, Consumer<ByteBuffer> action) {
    GgufValue value = array(key, "strings", entry(key).value().elementType() == GgufType.STRING);
    ByteBuffer buffer = ByteBuffer.wrap(value.data()).asReadOnlyBuffer();
    int end = 0;
    for (int i = 0; i < value.length(); i++) {
      int begin = end;
      end += value.stringBytes(i);
      action.accept(buffer.limit(end).position(begin));
    }
  }

  /** Returns an array of integers stored in any integer type; beyond 63 bits is an error. */
  public long[] integers(String key) {
    GgufType type = entry(key).value().elementType();
    GgufValue value = array(key, "integers", type != null && type.isInteger());
    long[] integers = new long[value.length()];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = exact(key, value, i);
    }
    return integers;
  }

  /** Returns an array of integers, or the default if there is no such key. */
  public long[] integers(String key, long[] absent) {
    return has(key) ? integers(key) : absent;
  }

  /** Returns an array of numbers stored in any floating-point or integer type. */
  public double[] reals(String key) {
    GgufType type = entry(key).value().elementType();
    GgufValue value = array(key, "numbers", type != null && (type.isReal() || type.isInteger()));
    double[] reals = new double[value.length()];
    for (int i = 0; i < reals.length; i++) {
      reals[i] = number(value, i);
    }
    return reals;
  }

  /** Returns an array of numbers, or the default if there is no such key. */
  public double[] reals(String key, double[] absent) {
    return has(key) ? reals(key) : absent;
  }

  /** Returns an array of truth values. */
  public boolean[] bools(String key) {
    GgufValue value = array(key, "bools", entry(key).value().elementType() == GgufType.BOOL);
    boolean[] bools = new boolean[value.length()];
    for (int i = 0; i < bools.length; i++) {
      bools[i] = value.boolAt(i);
    }
    return bools;
  }

  /** Returns an array of truth values, or the default if there is no such key. */
  public boolean[] bools(String key, boolean[] absent) {
    return has(key) ? bools(key) : absent;
  }

  private Entry entry(String key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      throw new BadModelFileException(
          file
              + ": no metadata key "
              + Names.quote(key)
              + Names.suggest(key, entries.keySet())
              + "; this needs a model that has it: convert the model again with a current"
              + " converter");
    }
    return entry;
  }

  private GgufValue scalar(String key, String wanted, boolean fits) {
    GgufValue value = value(key);
    if (!fits) {
      throw fail(key, value.toString(), "is of type " + value.describeType() + ", not " + wanted);
    }
    return value;
  }

  private GgufValue array(String key, String wanted, boolean fits) {
    return scalar(key, "an array of " + wanted, fits);
  }

  private long exact(String key, GgufValue value, int index) {
    long result = value.integerAt(index);
    if (result < 0 && value.scalarType() == GgufType.UINT64) {
      throw fail(key, Long.toUnsignedString(result), "is 2^63 or more, which nothing here takes");
    }
    return result;
  }

  private static double number(GgufValue value, int index) {
    if (value.scalarType().isReal()) {
      return value.realAt(index);
    }
    return value.bigIntegerAt(index).doubleValue();
  }

  private BadModelFileException fail(String key, String value, String problem) {
    return new BadModelFileException(
        file
            + ": metadata key "
            + Names.quote(key)
            + " at byte "
            + entry(key).offset()
            + ": "
            + value
            + " "
            + problem
            + "; correct the file, or convert the model again");
  }
}
