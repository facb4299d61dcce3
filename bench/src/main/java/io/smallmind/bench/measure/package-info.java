/** How time, heap and correctness are measured, whatever the work is. */
package io.smallmind.bench.measure;
