package io.smallmind.model;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A forward pass, as Java Flight Recorder shows it. */
@Name("io.smallmind.ForwardPass")
@Label("Forward Pass")
@Category("SmallMind")
@Description("Rows of one or many sessions pass through a model")
@StackTrace(false)
final class ForwardPassEvent extends Event {
  @Label("Rows")
  @Description("Tokens computed")
  int rows;

  @Label("Outputs")
  @Description("Rows whose scores were wanted")
  int outputs;

  @Label("Sessions")
  int sessions;

  @Label("Context")
  @Description("Tokens of the longest session, with the new ones")
  int context;

  @Label("Backend")
  String backend = "";

  @Label("Threads")
  int threads;

  @Label("Cancelled")
  boolean cancelled;
}
