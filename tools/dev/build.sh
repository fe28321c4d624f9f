# Configures and builds a preset. Sourced by ./dev.
# shellcheck shell=bash

# buildPreset PRESET TARGET...
buildPreset() {
  local preset=$1; shift
  setupBuild
  case $preset in debug | tsan | fuzz) needPackages "${clangPackages[@]}" ;; esac
  export DROGON_PREFIX=$drogonPrefix
  # Precompiled headers and ccache get along only when told to.
  export CCACHE_SLOPPINESS=pch_defines,time_macros
  export CCACHE_DIR=$cacheDir/ccache
  # Another checkout of the same sources finds what this one compiled.
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  configureAndBuild() {
    cmake --preset "$preset" -DTIPFLOW_TESTS="$(wantsTests "$@")" && cmake --build --preset "$preset" --target "$@"
  }
  cd "$root" || exit 1
  step "Building $* ($preset)" "build-$preset.log" configureAndBuild "$@"
}

# GoogleTest is needed only where a test is built; once it is there, tests stay configured.
wantsTests() {
  case " $* " in *" tipflow_unit "* | *" tipflow_store "* | *" tipflow_threads "*) echo ON; return ;; esac
  if [ -z "$(missingPackages libgtest-dev libgmock-dev)" ]; then echo ON; else echo OFF; fi
}
