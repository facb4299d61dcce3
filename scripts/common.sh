# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run.

readonly JAVA_RELEASE=25

# Prints the home of a JDK or JRE of at least JAVA_RELEASE; reads the "release" file that each one
# has, since starting a JVM to ask it takes longer than all the rest of a launch.
find_java_home() {
  local home command
  if [[ -n ${SMALLMIND_JAVA:-} ]]; then
    home=${SMALLMIND_JAVA%/bin/java}
    is_java_home "$home" || {
      echo "SMALLMIND_JAVA=$SMALLMIND_JAVA is no Java $JAVA_RELEASE or newer." >&2
      return 1
    }
    echo "$home"
    return 0
  fi
  command=$(command -v java || true)
  if [[ -n $command ]]; then
    command=$(readlink -f "$command" 2>/dev/null || echo "$command")
  fi
  for home in "${JAVA_HOME:-}" "${command%/bin/java}" \
    /usr/lib/jvm/*"$JAVA_RELEASE"* /opt/*jdk*"$JAVA_RELEASE"* \
    "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/"$JAVA_RELEASE"* "$HOME"/.jdks/*"$JAVA_RELEASE"* \
    /Library/Java/JavaVirtualMachines/*"$JAVA_RELEASE"*/Contents/Home \
    "/c/Program Files"/*/jdk-"$JAVA_RELEASE"*; do
    if is_java_home "$home"; then
      echo "$home"
      return 0
    fi
  done
  return 1
}

is_java_home() {
  local line version
  [[ -n $1 && (-x $1/bin/java || -x $1/bin/java.exe) && -r $1/release ]] || return 1
  while IFS= read -r line; do
    if [[ $line == JAVA_VERSION=* ]]; then
      version=${line#*=}
      version=${version//\"/}
      version=${version%%[!0-9]*}
      [[ -n $version ]] && ((version >= JAVA_RELEASE))
      return
    fi
  done <"$1/release"
  return 1
}

explain_missing_java() {
  cat >&2 <<TEXT
SmallMind needs a JDK $JAVA_RELEASE, and found none in SMALLMIND_JAVA, JAVA_HOME, PATH, /usr/lib/jvm,
SDKMAN or ~/.jdks. Install one, such as:
  apt-get install openjdk-$JAVA_RELEASE-jdk-headless   # Debian 13, Ubuntu 24.04 and newer
  sdk install java $JAVA_RELEASE-tem                   # SDKMAN
or name one: SMALLMIND_JAVA=/path/to/jdk-$JAVA_RELEASE
TEXT
}
