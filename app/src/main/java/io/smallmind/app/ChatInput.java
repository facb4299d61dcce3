package io.smallmind.app;

import io.smallmind.app.ChatCommand.AutoCloseableQuietly;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** Where the lines of a talk come from: an edited line on a terminal, or else standard input. */
abstract class ChatInput implements AutoCloseable {
  /** Returns the next line, or null at the end. */
  abstract @Nullable String readLine() throws IOException;

  /** Tells whether a person types the lines as they read the answers. */
  abstract boolean isTalk();

  /** Calls an action at Ctrl-C until closed. */
  abstract AutoCloseableQuietly onInterrupt(Runnable action);

  @Override
  public abstract void close() throws IOException;

  static ChatInput open(Console console) throws IOException {
    return console.inIsTerminal() && console.outIsTerminal()
        ? new Edited(console.colours())
        : new Piped(console);
  }

  private static final class Edited extends ChatInput {
    private final Terminal terminal;
    private final LineReader reader;
    private final String prompt;

    Edited(boolean colours) throws IOException {
      terminal = TerminalBuilder.builder().system(true).build();
      reader = LineReaderBuilder.builder().terminal(terminal).appName("smallmind").build();
      reader.option(LineReader.Option.DISABLE_EVENT_EXPANSION, true);
      prompt = colours ? "\u001b[1;32m>\u001b[0m " : "> ";
    }

    @Override
    @Nullable String readLine() {
      try {
        return reader.readLine(prompt);
      } catch (UserInterruptException e) {
        return "";
      } catch (EndOfFileException e) {
        return null;
      }
    }

    @Override
    boolean isTalk() {
      return true;
    }

    @Override
    AutoCloseableQuietly onInterrupt(Runnable action) {
      Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> action.run());
      return () -> terminal.handle(Terminal.Signal.INT, before);
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }

  private static final class Piped extends ChatInput {
    private final BufferedReader reader;

    Piped(Console console) {
      reader = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
    }

    @Override
    @Nullable String readLine() throws IOException {
      return reader.readLine();
    }

    @Override
    boolean isTalk() {
      return false;
    }

    @Override
    AutoCloseableQuietly onInterrupt(Runnable action) {
      Interrupts interrupts = Interrupts.handle(action);
      return interrupts::close;
    }

    @Override
    public void close() {
      // Standard input belongs to the process.
    }
  }
}
