/** Reads and writes GGUF model files. */
package io.smallmind.gguf;
