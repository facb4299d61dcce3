package io.smallmind.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Byte strings, one after another in one array, numbered from 0, and found by their bytes.
 *
 * <p>One is made by appending its bytes and then ending it, as a key or hidden. Keys are found by
 * their bytes and a tag; of equal ones, the first. Not thread-safe until the last string has ended;
 * immutable then.
 */
final class ByteStrings {
  private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L; // odd, of well-mixed bits
  private static final int[] NO_TAGS = {};

  /** Where the hash of a string begins: unknown to those who write model files. */
  private final long seed = ThreadLocalRandom.current().nextLong();

  private final int[] ends; // (count): behind the last byte of each string
  private byte[] bytes;
  private int used;
  private int size;
  private int[] tags = NO_TAGS; // (count), or none while all are 0
  private int[] slots = {0}; // a power of two; the number of a key plus 1, or 0

  /**
   * Creates an empty list.
   *
   * @param count how many strings will be added
   */
  ByteStrings(int count) {
    ends = new int[count];
    bytes = new byte[(int) Math.min(8L * count, 1 << 30)];
  }

  // ---- Adding strings

  /** Appends a byte to the string that is being made. */
  void append(int value) {
    reserve(1);
    bytes[used++] = (byte) value;
  }

  /** Appends bytes to the string that is being made. */
  void append(byte[] values) {
    append(ByteBuffer.wrap(values));
  }

  /** Appends what remains in a buffer, and leaves its position as it is. */
  void append(ByteBuffer values) {
    int length = values.remaining();
    reserve(length);
    values.get(values.position(), bytes, used, length);
    used += length;
  }

  private void reserve(int length) {
    int needed = Math.addExact(used, length);
    if (needed > bytes.length) {
      long roomy = Math.min(bytes.length * 3L / 2, 1 << 30);
      bytes = Arrays.copyOf(bytes, (int) Math.max(roomy, needed));
    }
  }

  /** Returns the number of bytes appended to the string that is being made. */
  int pending() {
    return used - begin(size);
  }

  /** Forgets the bytes of the string that is being made. */
  void restart() {
    used = begin(size);
  }

  /** Ends a string that is not to be found. */
  void endHidden() {
    ends[size++] = used;
    if (size == ends.length && used < bytes.length) {
      bytes = Arrays.copyOf(bytes, used);
    }
  }

  /** Ends a string that is found with tag 0. */
  void endKey() {
    endKey(0);
  }

  /** Ends a string that is found with a tag. */
  void endKey(int tag) {
    int key = size;
    if (slots.length == 1) {
      slots = new int[slotsFor(ends.length)];
    }
    if (tag != 0) {
      if (tags.length == 0) {
        tags = new int[ends.length];
      }
      tags[key] = tag;
    }
    int begin = begin(key);
    long hash = step(seed, tag);
    for (int at = begin; at < used; at++) {
      hash = step(hash, bytes[at] & 0xFF);
    }
    endHidden();
    int slot = slot(hash);
    while (slots[slot] != 0) {
      int other = slots[slot] - 1;
      if (tag(other) == tag
          && Arrays.equals(bytes, begin(other), ends[other], bytes, begin, ends[key])) {
        return;
      }
      slot = slot + 1 & slots.length - 1;
    }
    slots[slot] = key + 1;
  }

  /** Returns a power of two of which at most two thirds are taken. */
  private static int slotsFor(int count) {
    return Integer.highestOneBit((int) Math.min(count * 3L / 2, 1 << 29)) << 1;
  }

  // ---- Reading them

  /** Returns the number of strings so far. */
  int size() {
    return size;
  }

  /** Returns the length of a string in bytes. */
  int length(int index) {
    return ends[index] - begin(index);
  }

  /** Returns a copy of a string. */
  byte[] get(int index) {
    return Arrays.copyOfRange(bytes, begin(index), ends[index]);
  }

  /** Puts a string into a buffer. */
  void get(int index, ByteBuffer target) {
    target.put(bytes, begin(index), length(index));
  }

  /** Writes a string without its first bytes. */
  void write(int index, int skip, ByteArrayOutputStream out) {
    out.write(bytes, begin(index) + skip, length(index) - skip);
  }

  /** Returns a string as one character per byte (ISO 8859-1). */
  String text(int index) {
    return new String(bytes, begin(index), length(index), StandardCharsets.ISO_8859_1);
  }

  /** Returns the number of a key with tag 0, or −1. */
  int find(String text) {
    return find(text, 0, text.length(), 0);
  }

  /**
   * Returns the number of a key, or −1.
   *
   * @param text one character per byte; one above U+00FF is in no key
   * @param begin its first character
   * @param end behind its last one
   */
  int find(String text, int begin, int end, int tag) {
    long hash = step(seed, tag);
    for (int at = begin; at < end; at++) {
      hash = step(hash, text.charAt(at));
    }
    for (int slot = slot(hash); slots[slot] != 0; slot = slot + 1 & slots.length - 1) {
      int key = slots[slot] - 1;
      if (tag(key) == tag && isEqual(key, text, begin, end)) {
        return key;
      }
    }
    return -1;
  }

  private boolean isEqual(int key, String text, int begin, int end) {
    int first = begin(key);
    if (ends[key] - first != end - begin) {
      return false;
    }
    for (int at = begin; at < end; at++) {
      if ((bytes[first + at - begin] & 0xFF) != text.charAt(at)) {
        return false;
      }
    }
    return true;
  }

  private int begin(int index) {
    return index == 0 ? 0 : ends[index - 1];
  }

  private int tag(int index) {
    return tags.length == 0 ? 0 : tags[index];
  }

  /** Mixes a character into a hash; its high bits into the low ones, that strings can't cancel. */
  private static long step(long hash, int value) {
    long product = (hash ^ value) * MULTIPLIER;
    return product ^ product >>> 32;
  }

  private int slot(long hash) {
    return (int) (hash * MULTIPLIER >>> 32) & slots.length - 1;
  }
}
