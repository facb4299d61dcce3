/** Makes model files: quantizes them to other types, and writes models of random weights. */
package io.smallmind.convert;
