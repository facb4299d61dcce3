package io.smallmind.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The model of this jar: a Llama of a few million weights that tells stories for children. */
public final class EmbeddedModel {
  private static final String NAME = "smallmind-stories.gguf";

  private EmbeddedModel() {}

  /**
   * Returns the model as a GGUF file that can be mapped: a copy in the folder of temporary files,
   * deleted when the JVM ends, where the model lies inside a jar. Thread-safe.
   *
   * @throws IOException if there is no room for the copy
   */
  public static Path file() throws IOException {
    URL resource = EmbeddedModel.class.getResource(NAME);
    if (resource == null) {
      throw new IOException("the jar of the embedded model lacks " + NAME + "; build it again");
    }
    if (resource.getProtocol().equals("file")) {
      try {
        return Path.of(resource.toURI());
      } catch (URISyntaxException e) {
        throw new IOException(resource + " is no path of a file", e);
      }
    }
    Path copy = Files.createTempFile("smallmind-stories", ".gguf");
    copy.toFile().deleteOnExit();
    try (InputStream in = resource.openStream()) {
      Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
    }
    return copy;
  }
}
