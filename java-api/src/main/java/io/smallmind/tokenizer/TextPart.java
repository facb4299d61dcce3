package io.smallmind.tokenizer;

/**
 * A part of a text, with where it comes from.
 *
 * @param text what it says
 * @param trusted whether the text of special tokens in it means these tokens
 */
public record TextPart(String text, boolean trusted) {}
