package io.smallmind.app;

import io.smallmind.FinishReason;
import io.smallmind.GenerationOptions;
import io.smallmind.GenerationResult;
import io.smallmind.LanguageModel;
import io.smallmind.Session;
import io.smallmind.SessionOptions;
import io.smallmind.TokenListener;
import io.smallmind.error.SmallMindException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks to a model. */
@Command(
    name = "chat",
    description = "Talks to a model, line by line; Ctrl-C ends an answer, Ctrl-D the talk.",
    sortOptions = false)
final class ChatCommand extends AppCommand {
  private static final String HELP =
      """
      /system TEXT  begin anew with this instruction
      /clear        begin anew
      /stats        speed of the last answer
      /exit         leave; Ctrl-D does the same\
      """;

  @Mixin private ModelOption model = new ModelOption();

  @Option(names = "--system", paramLabel = "TEXT", description = "What the model should be.")
  private @Nullable String system;

  @Mixin private SamplingOption sampling = new SamplingOption();

  private String statistics = "no answer yet";

  ChatCommand(Main main) {
    super(main);
  }

  @Override
  int execute() throws IOException {
    SessionOptions sessionOptions = sampling.session(SessionOptions.Overflow.SHIFT);
    GenerationOptions options = sampling.builder().build();
    try (LanguageModel loaded = model.load(this);
        Session session = loaded.newSession(sessionOptions);
        ChatInput input = ChatInput.open(console())) {
      Transcript transcript = new Transcript(session);
      if (transcript.isPlain()) {
        note("This model has no chat template: it gets the talk as a plain transcript.");
      }
      note("/help lists commands.");
      begin(transcript);
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        if (line.equals("/exit") || line.equals("/quit")) {
          break;
        }
        if (line.startsWith("/")) {
          command(line, transcript);
        } else if (!line.isBlank()) {
          answer(line, session, transcript, options, input);
        }
      }
    }
    return Main.DONE;
  }

  private void begin(Transcript transcript) {
    transcript.clear();
    if (system != null) {
      transcript.add("system", system);
    }
  }

  private void command(String line, Transcript transcript) {
    if (line.equals("/help")) {
      show(HELP);
    } else if (line.equals("/clear")) {
      begin(transcript);
    } else if (line.startsWith("/system ")) {
      system = line.substring("/system ".length()).strip();
      begin(transcript);
    } else if (line.equals("/stats")) {
      show(statistics);
    } else {
      show("unknown command " + line + "; /help lists them");
    }
  }

  private void show(String text) {
    console().err().println(text);
    console().err().flush();
  }

  @SuppressWarnings("try") // Closed, but not called.
  private void answer(
      String line,
      Session session,
      Transcript transcript,
      GenerationOptions options,
      ChatInput input) {
    transcript.add("user", line);
    try (AutoCloseableQuietly ignored = input.onInterrupt(session::cancel);
        PromptProgress progress = new PromptProgress(console(), session)) {
      TokenListener printer =
          token -> {
            progress.close();
            console().out().print(token.text());
            console().out().flush();
          };
      int[] prompt = transcript.encode(options.maxTokens());
      GenerationResult result = session.generate(prompt, transcript.bound(options), printer);
      progress.close();
      console().out().println();
      console().out().flush();
      transcript.add("assistant", result.text().strip());
      statistics = Speed.describe(result, session.model(), 0);
      if (result.finishReason() == FinishReason.LENGTH) {
        note("[cut at --max-tokens]");
      } else if (result.finishReason() == FinishReason.CANCELLED) {
        note("[interrupted]");
      }
    } catch (SmallMindException e) {
      if (!input.isTalk()) {
        throw e;
      }
      // A person may go on with another message.
      transcript.removeLast();
      show("error: " + e.getMessage());
    }
  }

  /** Closes without an exception. */
  interface AutoCloseableQuietly extends AutoCloseable {
    @Override
    void close();
  }
}
