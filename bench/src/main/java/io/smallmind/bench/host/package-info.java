/** What machine, system and software the figures are from. */
package io.smallmind.bench.host;
