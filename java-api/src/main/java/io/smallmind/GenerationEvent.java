package io.smallmind;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A generation from its prompt to its last token, as Java Flight Recorder shows it. */
@Name("io.smallmind.Generation")
@Label("Generation")
@Category("SmallMind")
@Description("A session reads a prompt and generates tokens")
@StackTrace(false)
final class GenerationEvent extends Event {
  @Label("Prompt")
  @Description("Tokens of the prompt")
  int promptTokens;

  @Label("Reused")
  @Description("Tokens of the prompt that the session remembered")
  int reusedTokens;

  @Label("Generated")
  @Description("Tokens generated")
  int generatedTokens;

  @Label("Prefill")
  @Description("Until the first token's scores were there")
  @Timespan(Timespan.NANOSECONDS)
  long prefill;

  @Label("Finish Reason")
  String finishReason = "";
}
