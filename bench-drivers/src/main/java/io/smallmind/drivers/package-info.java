/** Programs that run other libraries, one in each process, and answer the bench line by line. */
@NullMarked
package io.smallmind.drivers;

import org.jspecify.annotations.NullMarked;
