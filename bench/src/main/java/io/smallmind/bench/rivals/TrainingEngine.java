package io.smallmind.bench.rivals;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** A process that trains a network. It times itself. Not thread-safe. */
public final class TrainingEngine implements RivalEngine {
  private final LineProcess process;
  private final long parameters;

  /**
   * A step of training.
   *
   * @param nanos of forward pass, backward pass and change of weights
   * @param loss before the change
   */
  public record Step(long nanos, double loss) {}

  private TrainingEngine(LineProcess process, long parameters) {
    this.process = process;
    this.parameters = parameters;
  }

  /**
   * Lets a process make a network.
   *
   * @throws IOException if it can't; the process is closed then
   */
  static TrainingEngine make(LineProcess process, TrainingRival.Network network)
      throws IOException {
    Map<String, Object> request = new HashMap<>();
    request.put("op", "trainer");
    request.put("vocabulary", network.vocabulary());
    request.put("positions", network.positions());
    request.put("length", network.length());
    request.put("layers", network.layers());
    request.put("heads", network.heads());
    request.put("context", network.context());
    request.put("rate", network.rate());
    request.put("decay", network.decay());
    request.put("seed", network.seed());
    request.put("threads", network.threads());
    try {
      return new TrainingEngine(process, process.ask(request).get("parameters").getAsLong());
    } catch (IOException e) {
      process.close();
      throw e;
    }
  }

  /** Returns how many numbers are trained. */
  public long parameters() {
    return parameters;
  }

  /**
   * Does a step.
   *
   * @param tokens sequences one after the other, each as long as the network's context
   * @param targets the token that follows each
   */
  public Step step(int[] tokens, int[] targets) throws IOException {
    JsonObject answer = process.ask(Map.of("op", "step", "tokens", tokens, "targets", targets));
    return new Step(answer.get("nanos").getAsLong(), answer.get("loss").getAsDouble());
  }

  @Override
  public void close() {
    process.close();
  }
}
