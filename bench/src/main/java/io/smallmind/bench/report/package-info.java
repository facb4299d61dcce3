/** Results for machines (JSON) and for people (a table). */
package io.smallmind.bench.report;
