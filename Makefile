# Everything that one does with this project. `make` alone lists it.

MODULE := target/basic_auth.wasm
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock rust-toolchain.toml $(wildcard .cargo/*)
PYTHON ?= python3
PORT ?= 10000

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(MODULE) ## Serves a demo behind a real Envoy on 127.0.0.1 until Ctrl-C (PORT=10000)
	@$(PYTHON) tools/demo.py --port $(PORT)

.PHONY: test
test: test-native test-envoy ## Runs all tests: natively and through a real Envoy

.PHONY: test-native
test-native: toolchain ## Runs the tests that need no proxy
	cargo test --quiet --locked -- --nocapture

.PHONY: test-envoy
test-envoy: $(MODULE) ## Runs the tests through a real Envoy (RUNTIME=v8|wasmtime|wamr, ENVOY=1.40.0)
	@$(PYTHON) tools/packages.py tests >/dev/null
	PYTHONPATH=target/python-tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q -p no:cacheprovider tests/envoy

.PHONY: build
build: $(MODULE) ## Builds target/basic_auth.wasm

$(MODULE): $(SOURCES) | toolchain
	cargo rustc --release --locked --lib --crate-type cdylib --target wasm32-wasip1
	@cp target/wasm32-wasip1/release/basic_auth.wasm $@
	@echo "$@: $$(wc -c < $@) bytes"

.PHONY: lint
lint: toolchain ## Checks format, lints and documentation
	cargo fmt --check
	cargo clippy --quiet --locked --all-targets
	cargo clippy --quiet --locked --lib --target wasm32-wasip1
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps --document-private-items

.PHONY: bench
bench: ## Measures what a request costs (nothing here yet)
	@echo "There is no benchmark yet."

.PHONY: clean
clean: ## Removes target/
	rm -rf target

# rustup installs what rust-toolchain.toml names by itself, unless it was told not to.
.PHONY: toolchain
toolchain:
	@command -v rustup >/dev/null || { echo "rustup is missing; install it from https://rustup.rs, then run make again." >&2; exit 1; }
	@rustup which rustc >/dev/null 2>&1 && test -d "$$(rustc --print sysroot)/lib/rustlib/wasm32-wasip1" \
		|| { echo "The Rust toolchain of this project is missing; run: rustup toolchain install" >&2; exit 1; }
