# Formatting and static checks. Sourced by ./dev.
# shellcheck shell=bash

cppFiles() { git -C "$root" ls-files -co --exclude-standard -- 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h'; }

checkFormat() { cd "$root" && cppFiles | xargs clang-format-19 --dry-run --Werror; }

commandFmt() {
  setupLint
  cd "$root" && cppFiles | xargs clang-format-19 -i
  say "Formatted."
}

commandLint() {
  setupTidy
  commandTest lint
  buildPreset release tipflow
  tidy() {
    cd "$root" && cppFiles | grep '\.cc$' | grep -v _test |
      xargs -P 2 -n 4 clang-tidy-19 -p build/release --quiet --warnings-as-errors='*'
  }
  step "clang-tidy" tidy.log tidy
}
