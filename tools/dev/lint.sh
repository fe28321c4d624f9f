# Formatting and static checks. Sourced by ./dev.
# shellcheck shell=bash

cppFiles() { git -C "$root" ls-files -co --exclude-standard -- 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h'; }

checkFormat() { cd "$root" && cppFiles | xargs clang-format-19 --dry-run --Werror; }

commandFmt() {
  setupLint
  cd "$root" && cppFiles | xargs clang-format-19 -i
  say "Formatted."
}

# About 6 s of one core a file: too long for every run, so it is part of the long suite and of ./dev lint.
tidyAll() {
  cd "$root" && cppFiles | grep '^src/.*\.cc$' | grep -v _test |
    xargs -P "$(nproc)" -n 3 clang-tidy-19 -p build/release --quiet --warnings-as-errors='*'
}

commandLint() {
  setupTidy
  commandTest lint
  buildPreset release tipflow
  step "clang-tidy" tidy.log tidyAll
}
