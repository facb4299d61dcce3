/** Other systems that do the same work, each in a process of its own behind one small adapter. */
package io.smallmind.bench.rivals;
