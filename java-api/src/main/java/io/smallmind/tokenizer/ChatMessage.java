package io.smallmind.tokenizer;

/**
 * One message of a conversation.
 *
 * @param role who says it: {@code system}, {@code user} or {@code assistant}
 * @param content what is said
 */
public record ChatMessage(String role, String content) {}
