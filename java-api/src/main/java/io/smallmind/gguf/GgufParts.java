package io.smallmind.gguf;

import io.smallmind.error.BadModelFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds and checks the files of a model that was cut into several: {@code name-00001-of-00003.gguf}
 * and so on. The first one has the metadata, each has some of the tensors, and all say how many
 * there are ({@code split.count}) and which one they are ({@code split.no}, from 0).
 */
final class GgufParts {
  static final String KEYS = "split.";
  private static final String COUNT = "split.count";
  private static final String NUMBER = "split.no";
  private static final String TENSORS = "split.tensors.count";

  /** The names have room for five digits; nobody cuts models into so many. */
  private static final long MOST = 4096;

  private static final Pattern NAME = Pattern.compile("(.*)-([0-9]{5})-of-([0-9]{5})\\.gguf");

  private GgufParts() {}

  /** Returns how many files a model consists of. */
  static int count(GgufFile first) {
    long count = first.metadata().integer(COUNT, 1);
    if (count < 0 || count > MOST) {
      throw new BadModelFileException(
          first.path() + ": " + COUNT + " = " + count + ": expected 1 to " + MOST);
    }
    return (int) Math.max(1, count);
  }

  /**
   * Opens all other files of a model, in order.
   *
   * @param first the first file, of {@link #count} files
   * @throws BadModelFileException if one is missing or does not belong to the others
   */
  static List<GgufFile> openOthers(GgufFile first, int count) {
    long number = first.metadata().integer(NUMBER, 0);
    Matcher name = NAME.matcher(String.valueOf(first.path().getFileName()));
    if (!name.matches() || Integer.parseInt(name.group(3)) != count) {
      throw new BadModelFileException(
          first.path()
              + ": one of "
              + count
              + " parts of a model, but its name does not end in -"
              + String.format(Locale.ROOT, "%05d-of-%05d.gguf", number + 1, count)
              + "; keep the names that the parts were published with");
    }
    if (number != 0 || Integer.parseInt(name.group(2)) != 1) {
      throw new BadModelFileException(
          first.path()
              + ": part "
              + (number + 1)
              + " of "
              + count
              + "; open the first one, "
              + path(first, name.group(1), 0, count));
    }
    List<GgufFile> others = new ArrayList<>();
    try {
      for (int part = 1; part < count; part++) {
        GgufFile other = GgufFile.openPart(path(first, name.group(1), part, count));
        others.add(other);
        require(other, COUNT, count);
        require(other, NUMBER, part);
      }
      checkTensors(first, others);
      return others;
    } catch (Throwable e) {
      others.forEach(GgufFile::close);
      throw e;
    }
  }

  private static Path path(GgufFile first, String stem, int part, int count) {
    return first
        .path()
        .resolveSibling(String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, part + 1, count));
  }

  private static void require(GgufFile part, String key, long expected) {
    long value = part.metadata().integer(key, -1);
    if (value != expected) {
      throw new BadModelFileException(
          part.path()
              + ": "
              + key
              + " = "
              + value
              + ", where the other parts and its name say "
              + expected
              + "; fetch all parts of one model anew");
    }
  }

  private static void checkTensors(GgufFile first, List<GgufFile> others) {
    Map<String, Path> places = new HashMap<>();
    List<GgufFile> all = new ArrayList<>(others);
    all.addFirst(first);
    for (GgufFile part : all) {
      for (GgufTensor tensor : part.tensors()) {
        Path before = places.put(tensor.name(), part.path());
        if (before != null) {
          throw new BadModelFileException(
              part.path()
                  + ": tensor "
                  + Names.quote(tensor.name())
                  + " stands in "
                  + before
                  + " too; fetch all parts of one model anew");
        }
      }
    }
    long expected = first.metadata().integer(TENSORS, places.size());
    if (expected != places.size()) {
      throw new BadModelFileException(
          first.path()
              + ": "
              + TENSORS
              + " = "
              + expected
              + ", but the parts have "
              + places.size()
              + "; fetch all parts of one model anew");
    }
  }
}
