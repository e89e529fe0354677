#!/bin/sh
# Installs a tool of cargo into target/tools at the version in versions.env, unless that version is there or on the PATH.
#
#   tools/cargo_tool.sh cargo-deny
set -eu
cd "$(dirname "$0")/.."
set -a
. tools/versions.env

tool=$1
version=$(printenv "$(echo "$tool" | tr 'a-z-' 'A-Z_')")
PATH="$PWD/target/tools/bin:$PATH"
{ cargo "${tool#cargo-}" --version || "$tool" --version; } 2>/dev/null | grep -q " $version\$" && exit 0
echo "Installing $tool $version (once, into target/tools) ..." >&2
cargo install --quiet --locked --root target/tools "$tool@$version"
