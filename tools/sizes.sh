#!/bin/sh
# Says where the bytes of the module are: by crate, for this crate by folder, and the largest functions. What was inlined
# counts for where it was inlined, a function of a library that is made for a type of another for the library.
# $1 is the module with its names.
set -eu
named="$(realpath "$1")"
cd "$(dirname "$0")/.."

tools/cargo_tool.sh twiggy
PATH="$PWD/target/tools/bin:$PATH"

# A line is `crate::module::function,bytes,…`, or with `<crate::module::Type as other::Trait>::function`.
twiggy top --format csv -n 1000000 "$named" | sed 1d | awk '
  /subsection|custom section/ || !match($0, /,[0-9]+,[0-9.e-]+,,$/) { next }
  {
    size = substr($0, RSTART + 1) + 0
    # `basic_auth[fdfa724e37923faf]::users`: the fingerprint of a crate.
    gsub(/\[[0-9a-f]+\]/, "")
    owner = /^data,/ ? "constants and tables" : "imports, exports, C"
    if (match($0, /[a-z][a-z0-9_]*::/)) {
      owner = substr($0, RSTART, RLENGTH - 2)
      if (owner == "basic_auth" && match($0, /basic_auth::[a-z_]+/)) owner = substr($0, RSTART, RLENGTH)
    }
    bytes[owner] += size
    all += size
  }
  END { for (owner in bytes) printf "%8d  %4.1f %%  %s\n", bytes[owner], 100 * bytes[owner] / all, owner }' | sort -rn | head -n 20
twiggy top -n 25 "$named"
