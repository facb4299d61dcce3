package io.smallmind.tokenizer;

import java.util.Arrays;

/**
 * The pieces of a text while neighbours are merged, the most urgent pair first: a linked list of
 * pieces, and a heap of the pairs that may be merged. Takes time O(n log n). Not thread-safe.
 */
abstract class Symbols {
  private final String text;
  private final int[] end; // behind the last byte of each piece; 0 for one that was merged away
  private final int[] previous;
  private final int[] next;

  private long[] keys = new long[64]; // priority, then position: the smallest is the most urgent
  private long[] spans = new long[64]; // the bytes that the pair had when it came to the heap
  private int size;

  /**
   * Creates an unmerged text.
   *
   * @param text bytes
   */
  Symbols(String text) {
    this.text = text;
    end = new int[text.length() + 1];
    previous = new int[text.length() + 1];
    next = new int[text.length() + 1];
  }

  /**
   * Returns how urgent it is to merge two neighbours: the smaller, the more; or −1 if they can't be
   * merged.
   *
   * @param begin first byte of the left piece
   * @param middle first byte of the right piece
   * @param end behind the right piece
   */
  abstract long priority(int begin, int middle, int end);

  /** Takes the piece from begin to end as the next one; pieces are known by their first byte. */
  final void add(int begin, int end) {
    this.end[begin] = end;
    next[begin] = end;
    previous[end] = begin;
  }

  /** Merges all that can be merged. */
  final void merge() {
    for (int begin = 0; begin < text.length(); begin = next[begin]) {
      offer(begin);
    }
    while (size > 0) {
      int begin = (int) keys[0];
      long span = spans[0];
      pop();
      if (end[begin] == 0 || next[begin] >= text.length() || span(begin) != span) {
        continue; // One of the two was merged with another piece meanwhile.
      }
      int middle = next[begin];
      int behind = end[middle];
      end[middle] = 0;
      end[begin] = behind;
      next[begin] = behind;
      previous[behind] = begin;
      offer(begin);
      if (begin > 0) {
        offer(previous[begin]);
      }
    }
  }

  /** Returns the first byte behind a piece: that of the next one. */
  final int end(int begin) {
    return end[begin];
  }

  private long span(int begin) {
    int middle = next[begin];
    return (long) middle << 32 | end[middle];
  }

  private void offer(int begin) {
    int middle = next[begin];
    if (middle >= text.length()) {
      return;
    }
    long priority = priority(begin, middle, end[middle]);
    if (priority < 0) {
      return;
    }
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, 2 * size);
      spans = Arrays.copyOf(spans, 2 * size);
    }
    long key = priority << 32 | begin;
    long span = span(begin);
    int hole = size++;
    while (hole > 0 && keys[(hole - 1) / 2] > key) {
      keys[hole] = keys[(hole - 1) / 2];
      spans[hole] = spans[(hole - 1) / 2];
      hole = (hole - 1) / 2;
    }
    keys[hole] = key;
    spans[hole] = span;
  }

  private void pop() {
    long key = keys[--size];
    long span = spans[size];
    int hole = 0;
    for (int child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && keys[child + 1] < keys[child]) {
        child++;
      }
      if (keys[child] >= key) {
        break;
      }
      keys[hole] = keys[child];
      spans[hole] = spans[child];
      hole = child;
    }
    keys[hole] = key;
    spans[hole] = span;
  }
}
