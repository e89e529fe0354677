#!/bin/bash
# Changes the core in small ways and lists what no test notices; docs/mutants.md. Options go to cargo-mutants.
#
#   tools/mutants.sh --file src/session.rs
set -euo pipefail
cd "$(dirname "$0")/.."

tools/cargo_tool.sh cargo-mutants
export PATH="$PWD/target/tools/bin:$PATH" PROPTEST_CASES=300

# 2 and 3 are cargo-mutants' words for mutants that lived and for those that the clock stopped: both are results.
try() {
  cargo mutants --output target --build-timeout 300 "$@" || case $? in 2 | 3) ;; *) return 1 ;; esac
}

echo "The quick tests first, and whatever outlives them meets all tests. A thousand mutants take an hour or so."
# The tests that are done in a second; those of hashes take several.
try --cargo-arg=--tests --minimum-test-timeout 10 "$@" -- -- --skip users::hash::tests --skip users::list::tests
try --cargo-arg=--tests --iterate "$@"

cd target
lines() { cat "$@" | wc -l; }
# A timeout of the first run was tried again in the second.
noticed=$(lines mutants.out.old/caught.txt mutants.out/caught.txt mutants.out/timeout.txt)
missed=$(lines mutants.out/missed.txt)
unviable=$(lines mutants.out.old/unviable.txt mutants.out/unviable.txt)
sort -V mutants.out/missed.txt
echo "mutants: $noticed of $((noticed + missed)) were noticed; $unviable more do not compile"
