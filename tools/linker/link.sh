#!/bin/sh
# The linker of the wasm module, by the Python that the Makefile names.
exec "${PYTHON:-python3}" "${0%.sh}.py" "$@"
