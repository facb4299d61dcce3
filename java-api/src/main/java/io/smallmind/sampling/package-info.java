/** From scores to a token: sampling, penalties and constraints. */
package io.smallmind.sampling;
