#!/bin/sh
# Makes a machine ready to build: installs what rust-toolchain.toml names, unless all of it is there. rustup would do so
# by itself at the first cargo, but not where RUSTUP_AUTO_INSTALL=0 forbids it, and not without telling what is going on.
set -eu
cd "$(dirname "$0")/.."

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
  echo "Python 3.10 or newer is missing; install it (with pip), or name it: make PYTHON=python3.12." >&2
  exit 1
}
command -v rustup >/dev/null || {
  echo "rustup is missing; install it from https://rustup.rs, then run make again." >&2
  exit 1
}
command -v cc >/dev/null || {
  echo "A C compiler is missing, whose linker Rust needs; install one as cc (Debian, Ubuntu: apt-get install gcc libc6-dev)." >&2
  exit 1
}

# The text or the list of texts that a key has.
named() { sed -n "s/^$1 = \[*\([^]]*\)\]*\$/\1/p" rust-toolchain.toml | tr -d '",'; }

toolchain=${RUSTUP_TOOLCHAIN:-$(named channel)}
components=$(named components)
targets=$(named targets)

# Whether everything is there; this asks no network.
is_complete() {
  installed=$(RUSTUP_AUTO_INSTALL=0 rustup component list --installed --toolchain "$toolchain" 2>/dev/null) || return 1
  for component in rustc cargo $components; do
    echo "$installed" | grep -q "^$component" || return 1
  done
  for target in $targets; do
    echo "$installed" | grep -qx "rust-std-$target" || return 1
  done
}

is_complete && exit 0
echo "Installing Rust $toolchain with $components $targets, as rust-toolchain.toml says (once, by rustup) ..." >&2
set -- --profile "$(named profile)" --no-self-update
for component in $components; do set -- "$@" --component "$component"; done
for target in $targets; do set -- "$@" --target "$target"; done
rustup --quiet toolchain install "$toolchain" "$@" >/dev/null || {
  echo "rustup could not install it, see above; is there a network?" >&2
  exit 1
}
