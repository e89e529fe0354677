# Everything that one does with this project. `make` alone lists it.

MODULE := target/basic_auth.wasm
# The module with the names of its functions, which the linker leaves beside the other.
NAMED := target/wasm32-wasip1/release/deps/basic_auth.named.wasm
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock rust-toolchain.toml $(wildcard .cargo/*)
# What the benchmarks hold the module against: modules that decide nothing.
YARDSTICKS := $(foreach one,idle reading refusing,target/$(one)/wasm32-wasip1/release/idle.wasm)
IDLE := $(firstword $(YARDSTICKS))
# Flags of whoever builds would make other modules.
OWN_FLAGS := env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS -u CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS
PYTHON ?= python3
# For tools/linker/link.sh.
export PYTHON
PORT ?= 10000
# For what lies elsewhere than the tools that it imports, and for the packages of tools/requirements/tests.txt.
PYTHON_TESTS = PYTHONPATH=$(CURDIR)/tools:$(CURDIR)/tools/linker:$(CURDIR)/tests/support:$(CURDIR)/target/python-tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON)

# What tools/cargo_tool.sh installs.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(MODULE) ## Serves a demo behind a real Envoy on 127.0.0.1 until Ctrl-C (PORT=10000)
	@$(PYTHON) tools/demo.py --port $(PORT)

.PHONY: test
test: test-native test-schema test-module test-envoy ## Runs all tests: natively, in a counting host and through a real Envoy

.PHONY: test-native
test-native: toolchain ## Runs the tests that need no proxy
	cargo test --quiet --locked -- --nocapture
	cargo test --quiet --locked --package basic-auth

.PHONY: test-schema
test-schema: ## Holds schema/ against all configurations that are accepted or refused in testdata/ and examples/
	@$(PYTHON) tools/packages.py tests >/dev/null
	$(PYTHON_TESTS) -m pytest tests/schema

.PHONY: generated
generated: toolchain ## Writes what is made of the table of fields: schema/, docs/configuration.md
	for of in configuration plugin; do cargo run --quiet --locked --package basic-auth -- schema --for $$of > schema/$$of.json; done
	cargo run --quiet --locked --package basic-auth -- fields > docs/configuration.md

.PHONY: test-module
test-module: $(NAMED) ## Counts host calls and instructions against testdata/counts.json
	@$(PYTHON) tools/packages.py tests >/dev/null
	$(PYTHON_TESTS) -m pytest tests/module

.PHONY: counts
counts: $(MODULE) ## Writes testdata/counts.json, what requests cost in host calls and instructions
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON_TESTS) tests/module/counts.py

.PHONY: hot-functions
hot-functions: $(NAMED) ## Writes tools/linker/hot_functions.txt, the functions that requests run, for their place in the module
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON_TESTS) tests/module/hot_functions.py

.PHONY: test-envoy
test-envoy: $(MODULE) ## Runs the tests through a real Envoy (ENVOY=1.36.4 for an older one, RUNTIME=wasmtime for one built with it)
	@$(PYTHON) tools/packages.py tests >/dev/null
	$(PYTHON_TESTS) -m pytest tests/envoy

.PHONY: build
build: $(MODULE) ## Builds target/basic_auth.wasm

LINKER := $(wildcard tools/linker/*.py tools/linker/*.sh) tools/linker/hot_functions.txt

# tools/remap.py keeps this machine's folders out of the module (reproducible builds). What a
# person has in these variables would go before the project's own flags.
$(MODULE): $(SOURCES) tools/remap.py $(LINKER) | toolchain
	@# Cargo does not see that its linker changed.
	@if [ -n "$(filter $(LINKER),$?)" ]; then rm -f target/wasm32-wasip1/release/deps/basic_auth*.wasm; fi
	cargo fetch --quiet --locked --target wasm32-wasip1
	remap="$$($(PYTHON) tools/remap.py)" && \
		$(OWN_FLAGS) cargo --config "$$remap" rustc --release --locked --lib --crate-type cdylib --target wasm32-wasip1
	@cp target/wasm32-wasip1/release/basic_auth.wasm $@
	@echo "$@: $$(wc -c < $@) bytes"

# The linker writes both.
$(NAMED): $(MODULE)
	@if [ ! -e $@ ]; then rm -f target/wasm32-wasip1/release/deps/basic_auth*.wasm $(MODULE); $(MAKE) $(MODULE); fi

# The page holds the core itself, so it needs no network.
target/playground.html: $(SOURCES) $(shell find cli/src playground -type f) cli/Cargo.toml tools/playground.py | toolchain
	cargo rustc --quiet --release --locked --package playground --lib --target wasm32-unknown-unknown
	@$(PYTHON) tools/playground.py target/wasm32-unknown-unknown/release/playground.wasm $@

.PHONY: playground
playground: target/playground.html ## Builds target/playground.html, one page to try configurations in, without a network

.PHONY: test-playground
test-playground: target/playground.html ## Asks the playground in Chromium (SCREENSHOT=1 writes docs/playground.png)
	@$(PYTHON) tools/needs.py chromium
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON) tools/packages.py clients >/dev/null
	PYTHONPATH=$(CURDIR)/target/python-clients:$(CURDIR)/tools:$(CURDIR)/target/python-tests PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) -m pytest tests/playground

PLATFORM ?= $(shell uname -s | tr A-Z a-z)-$(shell uname -m)

.PHONY: program
program: toolchain ## Builds the command line as target/basic-auth-PLATFORM.tar.gz, with completions and manual page
	cargo build --release --locked --package basic-auth
	@rm -rf target/program && mkdir -p target/program
	@cp target/release/basic-auth LICENSE target/program/
	@for shell in bash fish zsh; do target/release/basic-auth completions $$shell > target/program/basic-auth.$$shell; done
	@target/release/basic-auth manual > target/program/basic-auth.1
	tar -czf target/basic-auth-$(PLATFORM).tar.gz -C target/program .

.PHONY: sizes
sizes: $(NAMED) ## Says where the bytes of the module are
	@tools/sizes.sh $(NAMED)

.PHONY: lint
lint: toolchain ## Checks format, lints, documentation, and that no path of a machine is in a file
	cargo fmt --check --all
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	cargo clippy --quiet --locked --all-targets
	cargo clippy --quiet --locked --features ablation --example decide_without
	cargo clippy --quiet --locked --lib --features explain
	cargo clippy --quiet --locked --package basic-auth --all-targets
	cargo clippy --quiet --locked --package playground
	cargo clippy --quiet --locked --lib --target wasm32-wasip1
	@# The core alone, where there is neither WASI nor a proxy.
	cargo clippy --quiet --locked --lib --target wasm32-unknown-unknown
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps --document-private-items
	$(PYTHON) tools/dependencies.py
	$(PYTHON) tools/machine_paths.py
	@$(PYTHON) tools/packages.py lint >/dev/null
	target/python-lint/bin/ruff check --quiet
	target/python-lint/bin/ruff format --quiet --check
	target/python-lint/bin/shellcheck --external-sources .ci/run tools/*.sh

.PHONY: format
format: toolchain ## Formats Rust and Python
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	@$(PYTHON) tools/packages.py lint >/dev/null
	target/python-lint/bin/ruff check --quiet --fix
	target/python-lint/bin/ruff format --quiet

.PHONY: pins
pins: ## Writes tools/requirements/*.txt, versions and hashes of Python packages, from the *.in beside them
	@$(PYTHON) tools/packages.py pin

.PHONY: bench
bench: $(MODULE) $(YARDSTICKS) ## Measures what a request costs in Envoy; writes docs/cost.md (ROUNDS=3 for a short look, PEER=other.wasm)
	@$(PYTHON_TESTS) benches/bench.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(REQUESTS),--requests $(REQUESTS)) $(PEER)

.PHONY: bench-stall
bench-stall: $(MODULE) ## Measures what slow password hashes do to others, and how soon whoever is right is in (PEER=other.wasm instead)
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON_TESTS) benches/stall.py $(if $(PEER),--module $(PEER))

.PHONY: bench-upload
bench-upload: $(MODULE) $(IDLE) ## Measures what the filter adds to an upload of 10 MiB
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON_TESTS) benches/upload.py $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-native
bench-native: toolchain ## Measures what a decision costs on this machine, with no proxy
	cargo bench --locked --bench decision

.PHONY: bench-cli
bench-cli: toolchain ## Measures basic-auth with 100,000 rules and with a million lines of a log
	cargo build --quiet --release --locked --package basic-auth
	@$(PYTHON_TESTS) benches/command_line.py

# Built and linked as the module is.
$(YARDSTICKS): target/%/wasm32-wasip1/release/idle.wasm: $(wildcard benches/idle/src/*) benches/idle/Cargo.toml Cargo.toml Cargo.lock rust-toolchain.toml $(wildcard .cargo/*) $(LINKER) | toolchain
	@if [ -n "$(filter $(LINKER),$?)" ]; then rm -f target/$*/wasm32-wasip1/release/deps/idle*.wasm; fi
	$(OWN_FLAGS) cargo rustc --quiet --release --locked --package idle --lib --features "$(filter-out idle,$*)" --target wasm32-wasip1 --target-dir target/$*

# What an image says of itself comes from Cargo.toml and the commit, never from the clock.
CARGO_FIELD = $(shell sed -n 's/^$(1) = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
VERSION ?= $(call CARGO_FIELD,version)
SOURCE ?= $(call CARGO_FIELD,repository)
REVISION ?= $(shell git describe --always --abbrev=40 --exclude='*' --dirty 2>/dev/null || echo unknown)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
IMAGE_TOOL := target/tools/image
FORM ?= oci

$(IMAGE_TOOL): $(wildcard tools/image/*.go) tools/image/go.mod tools/image/go.sum
	@$(PYTHON) tools/needs.py go
	go build -C tools/image -trimpath -o "$(CURDIR)/$(IMAGE_TOOL)" .

.PHONY: image
image: $(MODULE) $(IMAGE_TOOL) ## Packs the module for registries and says which digest belongs where
	@$(IMAGE_TOOL) build -module $(MODULE) -out target/image -version "$(VERSION)" -revision "$(REVISION)" \
		-created "$(SOURCE_DATE_EPOCH)" -source "$(SOURCE)" -licence "$(call CARGO_FIELD,license)" \
		-description "$(call CARGO_FIELD,description)"

.PHONY: push
push: image ## Pushes to IMAGE=registry/name:tag (FORM=oci|docker|artifact|all, FORCE=1, PLAIN_HTTP=1)
	@test -n "$(IMAGE)" || { echo "Say where to: make push IMAGE=ghcr.io/you/basic_auth:$(VERSION)" >&2; exit 1; }
	@$(IMAGE_TOOL) push -module $(MODULE) -form "$(FORM)" $(if $(FORCE),-force) $(if $(PLAIN_HTTP),-plain-http) "$(IMAGE)"

.PHONY: test-image
test-image: ## Tests the tool that packs and pushes
	@$(PYTHON) tools/needs.py go
	cd tools/image && go vet ./... && go test ./... && go test -tags noasm -run Digests ./...

.PHONY: test-registry
test-registry: registry-needs image ## Pulls the images with Istio's own code from a real registry, judges examples/istio
	cd tests/istio && go vet ./... && go test -count=1 -timeout 20m ./...

# First, so that nothing is built for a test that cannot run.
.PHONY: registry-needs
registry-needs:
	@$(PYTHON) tools/needs.py go docker-registry skopeo

.PHONY: istio
istio: $(MODULE) $(IMAGE_TOOL) ## Walks through a real Istio on this machine; the first run builds it (docs/istio-transcript.md)
	@$(PYTHON_TESTS) tools/istio

.PHONY: test-distribution
test-distribution: distribution-needs dist ## Runs the release's steps and docs/distribution.md against local registries
	$(PYTHON) tools/distribution_test.py

.PHONY: distribution-needs
distribution-needs:
	@$(PYTHON) tools/needs.py go docker-registry skopeo htpasswd

.PHONY: sbom
sbom: $(MODULE) ## Lists the crates in the module, as CycloneDX
	@tools/cargo_tool.sh cargo-cyclonedx
	$(PYTHON) tools/sbom.py $(MODULE) target/basic_auth.cdx.json

.PHONY: dist
dist: image sbom ## Makes the files of a release in target/dist
	$(PYTHON) tools/release.py files

.PHONY: reproduce
reproduce: toolchain ## Builds the last commit twice as strangers would and compares (EXPECT=sha256:…)
	@$(PYTHON) tools/needs.py git go
	@$(PYTHON) tools/reproduce.py $(if $(EXPECT),--expect "$(EXPECT)")

.PHONY: deny
deny: toolchain ## Checks licences, sources and doubles of the crates in the module, and licences and sources of basic-auth's
	@tools/cargo_tool.sh cargo-deny
	cargo deny --locked check licenses bans sources
	cargo deny --locked --manifest-path cli/Cargo.toml --config cli/deny.toml check licenses bans sources

.PHONY: advisories
advisories: toolchain ## Checks those crates for known vulnerabilities; the list is fetched from github.com
	@tools/cargo_tool.sh cargo-deny
	cargo deny --locked check advisories
	cargo deny --locked --manifest-path cli/Cargo.toml --config cli/deny.toml check advisories

.PHONY: lint-workflows
lint-workflows: ## Checks the GitHub workflows
	@$(PYTHON) tools/needs.py go
	cd tools/go && go tool actionlint $(CURDIR)/.github/workflows/*.yml

SECONDS ?= 30

.PHONY: fuzz
fuzz: toolchain ## Fuzzes every target for SECONDS=30 each (TARGET=readings for one); fuzz/README.md
	@tools/fuzz.sh $(SECONDS) $(TARGET)

.PHONY: mutants
mutants: toolchain ## Changes the core in small ways and lists what no test notices (MUTANTS="--file src/session.rs"); docs/mutants.md
	@tools/mutants.sh $(MUTANTS)

.PHONY: test-hosts
test-hosts: $(MODULE) ## Runs the decisions and the hostile requests on every Envoy of tools/requirements/
	@$(PYTHON) tools/packages.py tests >/dev/null
	@for version in $$($(PYTHON) tools/packages.py envoys); do \
		echo "Envoy $$version"; \
		ENVOY=$$version $(PYTHON_TESTS) -m pytest tests/envoy/test_decisions.py tests/envoy/test_hostile.py || exit 1; \
	done

.PHONY: test-memory
test-memory: $(MODULE) ## Sends a million requests of every kind through Envoy and compares its memory (REQUESTS=200000; Linux)
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(if $(REQUESTS),REQUESTS=$(REQUESTS)) $(PYTHON_TESTS) -m pytest --capture=no tests/memory

.PHONY: test-backends
test-backends: $(MODULE) ## Asks real backends for a way around the filter (SHORT=1, ONLY=nginx, SEED=7, WITHOUT=step)
	@$(PYTHON) tests/backends $(if $(SHORT),--short) $(if $(ONLY),--only "$(ONLY)") $(if $(SEED),--seed "$(SEED)") \
		$(if $(WITHOUT),--without "$(WITHOUT)")

.PHONY: test-backends-ablation
test-backends-ablation: toolchain ## Shows which backend of the last test-backends needs which step of the readings
	@$(PYTHON) tests/backends --ablation

.PHONY: test-clients
test-clients: $(MODULE) ## Asks through the filter with real clients: curl, wget, git, skopeo, Go, Python, gRPC, Chromium (docs/clients.md)
	@$(PYTHON) tools/needs.py chromium curl docker-registry git go openssl skopeo wget
	@$(PYTHON) tools/packages.py tests >/dev/null
	@$(PYTHON) tools/packages.py clients >/dev/null
	PYTHONPATH=$(CURDIR)/target/python-clients:$(CURDIR)/tools:$(CURDIR)/target/python-tests PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) -m pytest tests/clients

.PHONY: test-monitoring
test-monitoring: $(MODULE) ## Checks examples/monitoring with promtool against a live scrape
	@$(PYTHON) tools/needs.py go
	@$(PYTHON) tools/packages.py tests >/dev/null
	go build -C tools/promtool -o "$(CURDIR)/target/tools/promtool" github.com/prometheus/prometheus/cmd/promtool
	$(PYTHON_TESTS) -m pytest tests/monitoring

.PHONY: clean
clean: ## Removes target/
	rm -rf target

.PHONY: toolchain
toolchain:
	@PYTHON="$(PYTHON)" tools/toolchain.sh
