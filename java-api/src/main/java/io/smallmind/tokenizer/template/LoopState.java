package io.smallmind.tokenizer.template;

import io.smallmind.tokenizer.template.Callable.Arguments;
import java.util.List;

/** What a loop's body can ask about the loop. Not thread-safe. */
final class LoopState {
  private final List<Object> elements;
  private List<Object> last = List.of();
  int index;

  LoopState(List<Object> elements) {
    this.elements = elements;
  }

  Object attribute(String name) {
    int size = elements.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) size - index;
      case "revindex0" -> size - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> (long) size;
      case "depth" -> 1L;
      case "depth0" -> 0L;
      case "previtem" -> index > 0 ? elements.get(index - 1) : new Absent("loop.previtem");
      case "nextitem" -> index + 1 < size ? elements.get(index + 1) : new Absent("loop.nextitem");
      case "cycle" -> (Callable) (frame, arguments) -> cycle(arguments);
      case "changed" -> (Callable) (frame, arguments) -> changed(frame, arguments);
      default -> new Absent("loop." + name);
    };
  }

  private Object cycle(Arguments arguments) {
    if (arguments.values().isEmpty()) {
      throw new Fault("loop.cycle needs values");
    }
    return arguments.values().get(index % arguments.values().size());
  }

  private Object changed(Frame frame, Arguments arguments) {
    boolean same = Values.equal(last, arguments.values(), frame) && index > 0;
    last = arguments.values();
    return !same;
  }
}
