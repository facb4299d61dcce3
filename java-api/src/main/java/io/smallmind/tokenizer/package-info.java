/** Text to tokens and back, and chat templates. */
package io.smallmind.tokenizer;
