package io.smallmind.kernels;

import java.util.ArrayList;
import java.util.List;

/** Offers the backends of this module: plain Java, and the Vector API where its module is there. */
final class JavaKernelsProvider implements KernelsProvider {
  @Override
  public List<Candidate> candidates() {
    List<Candidate> candidates = new ArrayList<>();
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      candidates.add(VectorKernels.candidate());
    } else {
      candidates.add(
          Candidate.missing(
              "vector",
              100,
              "module jdk.incubator.vector is not loaded; start java with --add-modules"
                  + " jdk.incubator.vector",
              null));
    }
    candidates.add(Candidate.available(0, new ScalarKernels(), "plain Java"));
    return candidates;
  }
}
