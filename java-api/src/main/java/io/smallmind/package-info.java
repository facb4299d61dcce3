/** The facade: choose a backend, multiply matrices. */
package io.smallmind;
