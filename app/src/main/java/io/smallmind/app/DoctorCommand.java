package io.smallmind.app;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.smallmind.kernels.Candidate;
import io.smallmind.kernels.KernelRegistry;
import io.smallmind.kernels.Kernels;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Tells what this machine offers, what is used of it, and what to do about the rest. */
@Command(
    name = "doctor",
    description = "Tells what this machine offers, what is used of it, and what to do.",
    sortOptions = false)
final class DoctorCommand extends AppCommand {
  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  DoctorCommand(Main main) {
    super(main);
  }

  @Override
  int execute() {
    Host host = Host.read();
    Kernels chosen = kernels();
    List<String> advice = Advice.of(host, KernelRegistry.get().candidates());
    if (json) {
      print(toJson(host, chosen, advice));
      return Main.DONE;
    }
    for (Map.Entry<String, String> entry : host.rows().entrySet()) {
      console().out().printf("%-16s %s%n", entry.getKey(), entry.getValue());
    }
    console().out().printf("%-16s %s%n", "threads", threads() == 0 ? host.threads() : threads());
    console().out().printf("%-16s %s%n", "backend", chosen.name());
    heading("Backends, the best first (+ can be used, - can't)");
    KernelRegistry.get().explain().lines().forEach(line -> console().out().println("  " + line));
    heading(advice.isEmpty() ? "Nothing to improve" : "What to do");
    advice.forEach(line -> console().out().println("  * " + line));
    return Main.DONE;
  }

  private void heading(String text) {
    console().out().println();
    console().out().println(console().colours() ? "\u001b[1m" + text + "\u001b[0m" : text);
  }

  private JsonObject toJson(Host host, Kernels chosen, List<String> advice) {
    JsonObject object = new JsonObject();
    object.add("host", host.toJson());
    object.addProperty("backend", chosen.name());
    object.addProperty("threads", threads() == 0 ? host.threads() : threads());
    JsonArray backends = new JsonArray();
    for (Candidate candidate : KernelRegistry.get().candidates()) {
      JsonObject one = new JsonObject();
      Kernels kernels = candidate.kernels();
      one.addProperty("name", candidate.name());
      one.addProperty("available", kernels != null);
      one.addProperty("detail", candidate.detail());
      one.addProperty("status", kernels == null ? "" : kernels.status());
      backends.add(one);
    }
    object.add("backends", backends);
    JsonArray todo = new JsonArray();
    advice.forEach(todo::add);
    object.add("advice", todo);
    return object;
  }
}
