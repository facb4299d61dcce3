package io.smallmind.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.smallmind.error.BadArgumentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Weights in one block of memory, each beginning at a cache line; blocks of the same layout hold
 * their gradients and the optimizer's moments. Frozen sets have values only.
 */
final class ParameterSet {
  private static final int LINE = 16; // floats of a cache line

  private final Map<String, Parameter> byName = new LinkedHashMap<>();
  private final List<Long> begins = new ArrayList<>(); // of each weight, in elements

  /** Elements of a block, the gaps between weights included. */
  final long length;

  final MemorySegment values;
  final MemorySegment gradients;
  final MemorySegment firstMoments;
  final MemorySegment secondMoments;

  ParameterSet(List<Parameter.Spec> specs, boolean frozen, Arena arena) {
    long end = 0;
    for (Parameter.Spec spec : specs) {
      begins.add(end);
      end += (spec.length() + LINE - 1) / LINE * LINE;
    }
    length = end;
    values = Tape.allocate(arena, length);
    gradients = frozen ? MemorySegment.NULL : Tape.allocate(arena, length);
    firstMoments = frozen ? MemorySegment.NULL : Tape.allocate(arena, length);
    secondMoments = frozen ? MemorySegment.NULL : Tape.allocate(arena, length);
    for (int i = 0; i < specs.size(); i++) {
      Parameter.Spec spec = specs.get(i);
      MemorySegment gradient = frozen ? MemorySegment.NULL : part(gradients, i, spec);
      byName.put(spec.name(), new Parameter(spec, part(values, i, spec), gradient));
    }
  }

  private MemorySegment part(MemorySegment block, int index, Parameter.Spec spec) {
    return block.asSlice(4 * begins.get(index), 4 * spec.length());
  }

  /** Returns the part of a block, such as the first moments, that belongs to a weight. */
  MemorySegment part(MemorySegment block, Parameter parameter) {
    long offset = parameter.value.address() - values.address();
    return block.asSlice(offset, parameter.value.byteSize());
  }

  List<Parameter> all() {
    return List.copyOf(byName.values());
  }

  Parameter get(String name) {
    Parameter parameter = byName.get(name);
    if (parameter == null) {
      throw new BadArgumentException("no weight " + name + " in " + byName.keySet());
    }
    return parameter;
  }

  @Nullable Parameter find(String name) {
    return byName.get(name);
  }

  /** Returns the number of weights, each value counted. */
  long count() {
    return byName.values().stream().mapToLong(each -> each.spec.length()).sum();
  }

  /** Sets all weights to what training from scratch begins with. */
  void initialize(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (Parameter parameter : byName.values()) {
      Parameter.Spec spec = parameter.spec;
      for (long i = 0; i < spec.length(); i++) {
        float noise = spec.deviation() == 0 ? 0 : (float) random.nextGaussian() * spec.deviation();
        parameter.value.setAtIndex(JAVA_FLOAT, i, spec.mean() + noise);
      }
    }
  }
}
