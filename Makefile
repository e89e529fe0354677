# Everything that one does with this project. `make` alone lists it.

MODULE := target/basic_auth.wasm
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock rust-toolchain.toml $(wildcard .cargo/*)
IDLE := target/idle/wasm32-wasip1/release/idle.wasm
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
test: test-native test-module test-envoy ## Runs all tests: natively, in a counting host and through a real Envoy

.PHONY: test-native
test-native: toolchain ## Runs the tests that need no proxy
	cargo test --quiet --locked -- --nocapture

.PHONY: test-module
test-module: $(MODULE) ## Counts host calls and instructions against testdata/counts.json
	@$(PYTHON) tools/packages.py tests >/dev/null
	PYTHONPATH=target/python-tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q -p no:cacheprovider tests/module

.PHONY: counts
counts: $(MODULE) ## Writes testdata/counts.json, what requests cost in host calls and instructions
	@$(PYTHON) tools/packages.py tests >/dev/null
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/module/counts.py

.PHONY: test-envoy
test-envoy: $(MODULE) ## Runs the tests through a real Envoy (ENVOY=1.36.4 for an older one, RUNTIME=wasmtime for one built with it)
	@$(PYTHON) tools/packages.py tests >/dev/null
	PYTHONPATH=target/python-tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q -p no:cacheprovider tests/envoy

.PHONY: build
build: $(MODULE) ## Builds target/basic_auth.wasm

# tools/remap.py keeps this machine's folders out of the module (reproducible builds). What a
# person has in these variables would go before the project's own flags.
$(MODULE): $(SOURCES) tools/remap.py $(wildcard tools/link.py) | toolchain
	cargo fetch --quiet --locked --target wasm32-wasip1
	remap="$$($(PYTHON) tools/remap.py)" && \
		env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS -u CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS \
		cargo --config "$$remap" rustc --release --locked --lib --crate-type cdylib --target wasm32-wasip1
	@cp target/wasm32-wasip1/release/basic_auth.wasm $@
	@echo "$@: $$(wc -c < $@) bytes"

.PHONY: sizes
sizes: toolchain ## Says where the bytes of the module are
	@cargo rustc --quiet --release --locked --lib --crate-type cdylib --target wasm32-wasip1 --target-dir target/named \
		--config 'profile.release.strip="none"'
	@$(PYTHON) tools/sizes.py target/named/wasm32-wasip1/release/basic_auth.wasm

.PHONY: lint
lint: toolchain ## Checks format, lints and documentation
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	cargo clippy --quiet --locked --all-targets
	cargo clippy --quiet --locked --lib --target wasm32-wasip1
	@# The core alone, where there is neither WASI nor a proxy.
	cargo clippy --quiet --locked --lib --target wasm32-unknown-unknown
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps --document-private-items
	$(PYTHON) tools/dependencies.py

.PHONY: bench
bench: $(MODULE) $(IDLE) ## Measures what a request costs in Envoy; writes docs/cost.md (ROUNDS=3 for a short look, PEER=other.wasm)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) benches/bench.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(REQUESTS),--requests $(REQUESTS)) $(PEER)

.PHONY: bench-stall
bench-stall: $(MODULE) ## Measures what slow password hashes do to other requests of the same worker
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) benches/stall.py

.PHONY: bench-native
bench-native: toolchain ## Measures what a decision costs on this machine, with no proxy
	cargo bench --locked --bench decision

# The benchmarks' yardstick: a module that does nothing, built and linked as ours is.
$(IDLE): $(wildcard benches/idle/src/*) benches/idle/Cargo.toml Cargo.toml Cargo.lock rust-toolchain.toml $(wildcard .cargo/*) | toolchain
	cargo rustc --quiet --release --locked --package idle --lib --target wasm32-wasip1 --target-dir target/idle

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
istio: $(MODULE) $(IMAGE_TOOL) ## Walks through a real Istio on this machine; the first run builds it (docs/istio.md)
	@$(PYTHON) tools/istio

.PHONY: test-distribution
test-distribution: distribution-needs dist ## Runs the release's steps and docs/distribution.md against local registries
	$(PYTHON) tools/distribution_test.py

.PHONY: distribution-needs
distribution-needs:
	@$(PYTHON) tools/needs.py go docker-registry skopeo htpasswd cargo-cyclonedx

.PHONY: sbom
sbom: $(MODULE) ## Lists the crates in the module, as CycloneDX
	@$(PYTHON) tools/needs.py cargo-cyclonedx
	$(PYTHON) tools/sbom.py $(MODULE) target/basic_auth.cdx.json

.PHONY: dist
dist: image sbom ## Makes the files of a release in target/dist
	$(PYTHON) tools/release.py files

.PHONY: reproduce
reproduce: toolchain ## Builds the last commit twice as strangers would and compares (EXPECT=sha256:…)
	@$(PYTHON) tools/needs.py git go
	@$(PYTHON) tools/reproduce.py $(if $(EXPECT),--expect "$(EXPECT)") $(if $(filter-out undefined file default,$(origin SOURCE)),"SOURCE=$(SOURCE)")

.PHONY: deny
deny: ## Checks licences, sources, doubles and known vulnerabilities of the crates in the module
	@$(PYTHON) tools/needs.py cargo-deny
	$(PYTHON) tools/deny.py

.PHONY: lint-workflows
lint-workflows: ## Checks the GitHub workflows
	@$(PYTHON) tools/needs.py go
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 .github/workflows/*.yml

# The one place that names the nightly toolchain, which libFuzzer needs.
NIGHTLY := nightly-2026-05-20
SECONDS ?= 30
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/targets/*.rs)))

.PHONY: fuzz
fuzz: fuzz-needs ## Fuzzes every target for SECONDS=30 each (TARGET=readings for one); fuzz/README.md
	@for target in $(or $(TARGET),$(FUZZ_TARGETS)); do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/artifacts/$$target && \
		PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo +$(NIGHTLY) fuzz run --target-dir target/fuzz $$target \
			target/fuzz/corpus/$$target fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -max_len=400 -timeout=10 \
			-dict=fuzz/dictionary.txt -artifact_prefix=target/fuzz/artifacts/$$target/ -print_final_stats=1 \
			>target/fuzz/$$target.log 2>&1 \
			|| { tail -n 30 target/fuzz/$$target.log >&2; echo "$$target failed; the whole log: target/fuzz/$$target.log" >&2; exit 1; }; \
		echo "fuzz: $$target held for $$(awk '/number_of_executed_units/ { print $$2 }' target/fuzz/$$target.log) inputs in $(SECONDS) s"; \
	done

.PHONY: fuzz-needs
fuzz-needs: toolchain
	@cargo +$(NIGHTLY) --version >/dev/null 2>&1 \
		|| { echo "The nightly toolchain is missing; run: rustup toolchain install $(NIGHTLY) --profile minimal" >&2; exit 1; }
	@command -v c++ >/dev/null || { echo "A C++ compiler is missing, which libFuzzer needs; install one as c++." >&2; exit 1; }
	@$(call INSTALLED,cargo-fuzz,0.13.2)

# The tests that are done in a second; those of hashes take several.
QUICK := $(filter-out hashes users,$(basename $(notdir $(wildcard tests/*.rs))))

.PHONY: mutants
mutants: toolchain ## Changes the core in small ways and lists what no test notices (MUTANTS="--file src/session.rs"); docs/mutants.md
	@$(call INSTALLED,cargo-mutants,27.1.0)
	@echo "The quick tests first, and whatever outlives them meets all tests. A thousand mutants take an hour or so."
	@export PROPTEST_CASES=300 PATH="$(CURDIR)/target/tools/bin:$$PATH"; \
		try() { cargo mutants --output target --build-timeout 300 "$$@" $(MUTANTS) || case $$? in 2|3) ;; *) return 1;; esac; }; \
		try --cargo-arg=--lib $(QUICK:%=--cargo-arg=--test=%) --minimum-test-timeout 10 && try --cargo-arg=--tests --iterate
	@# A timeout of the first run was tried again in the second.
	@cd target && count() { cat "$$@" | wc -l; } && \
		killed=$$(count mutants.out.old/caught.txt mutants.out/caught.txt mutants.out/timeout.txt) && \
		missed=$$(count mutants.out/missed.txt) && unviable=$$(count mutants.out.old/unviable.txt mutants.out/unviable.txt) && \
		sort -V mutants.out/missed.txt && \
		echo "mutants: $$killed of $$((killed + missed)) were noticed; $$unviable more do not compile"

# Installs a cargo tool at one version into target/tools, unless that version is there.
INSTALLED = grep -qs '"$(1) $(2) ' target/tools/.crates2.json || cargo install --quiet --locked --root target/tools $(1)@$(2)

.PHONY: test-hosts
test-hosts: $(MODULE) ## Runs the decisions and the hostile requests on every Envoy from 1.36 to 1.40
	@$(PYTHON) tools/packages.py tests >/dev/null
	@for version in $$($(PYTHON) tools/packages.py envoys); do \
		echo "Envoy $$version" && ENVOY=$$version PYTHONPATH=target/python-tests PYTHONDONTWRITEBYTECODE=1 \
			$(PYTHON) -m pytest -q -p no:cacheprovider tests/envoy/test_decisions.py tests/envoy/test_hostile.py || exit 1; \
	done

.PHONY: clean
clean: ## Removes target/
	rm -rf target

# rustup installs what rust-toolchain.toml names by itself, unless it was told not to.
.PHONY: toolchain
toolchain:
	@command -v rustup >/dev/null || { echo "rustup is missing; install it from https://rustup.rs, then run make again." >&2; exit 1; }
	@rustup which rustc >/dev/null 2>&1 && test -d "$$(rustc --print sysroot)/lib/rustlib/wasm32-wasip1" \
		|| { echo "The Rust toolchain of this project is missing; run: rustup toolchain install" >&2; exit 1; }
