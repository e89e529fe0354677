#!/bin/sh
# Fuzzes targets, one after the other, for some seconds each; fuzz/README.md.
#
#   tools/fuzz.sh SECONDS [TARGET …]      all targets, if none is named
set -eu
cd "$(dirname "$0")/.."
. tools/versions.env

seconds=$1
shift
[ $# -gt 0 ] || set -- fuzz/targets/*.rs

command -v c++ >/dev/null || {
  echo "A C++ compiler is missing, which libFuzzer needs; install one as c++." >&2
  exit 1
}
cargo "+$NIGHTLY" --version >/dev/null 2>&1 || {
  echo "Installing Rust $NIGHTLY, which libFuzzer needs (once, by rustup) ..." >&2
  rustup --quiet toolchain install "$NIGHTLY" --profile minimal --no-self-update >/dev/null
}
tools/cargo_tool.sh cargo-fuzz
PATH="$PWD/target/tools/bin:$PATH"

for target in "$@"; do
  target=$(basename "$target" .rs)
  corpus=target/fuzz/corpus/$target artifacts=target/fuzz/artifacts/$target log=target/fuzz/$target.log
  mkdir -p "$corpus" "$artifacts"
  cargo "+$NIGHTLY" fuzz run --target-dir target/fuzz "$target" "$corpus" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -max_len=400 -timeout=10 -dict=fuzz/dictionary.txt -artifact_prefix="$artifacts/" \
    -print_final_stats=1 >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    echo "$target failed; the whole log: $log" >&2
    exit 1
  }
  echo "fuzz: $target held for $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs in $seconds s"
done
