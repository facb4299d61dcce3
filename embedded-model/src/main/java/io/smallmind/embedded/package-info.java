/** A small language model that needs no download. */
package io.smallmind.embedded;
