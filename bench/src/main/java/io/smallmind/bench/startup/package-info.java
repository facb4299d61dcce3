/** Loading of the native libraries as work to measure, in fresh processes. */
package io.smallmind.bench.startup;
