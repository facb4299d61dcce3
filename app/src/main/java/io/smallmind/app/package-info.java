/** The command line: one class per command, and what they share. */
package io.smallmind.app;
