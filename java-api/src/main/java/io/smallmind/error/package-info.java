/** The typed errors of this library. */
package io.smallmind.error;
