package io.smallmind;

/**
 * A token as it comes out of a model.
 *
 * @param id number in the vocabulary
 * @param text that is complete with this token; empty while a character's bytes are incomplete, or
 *     while it may become a stop string
 */
public record Token(int id, String text) {}
