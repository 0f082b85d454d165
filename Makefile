# Everything that this project does for a newcomer: `make demo` and `make test` on a fresh Debian 12 machine with Rust.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := release

TARGET := target
TRIPLE := x86_64-unknown-linux-gnu
AGENT := $(TARGET)/$(TRIPLE)/agent/ovenbird-agent
SEAL := $(TARGET)/$(TRIPLE)/agent/ovenbird-seal
DIST := $(TARGET)/dist

export OVENBIRD_AGENT := $(CURDIR)/$(AGENT)
export CARGO_TERM_PROGRESS_WHEN ?= never

.PHONY: release debug agent demo test bench lint fmt venv setup-demo setup-test setup-bench clean-demo

## The program and the agent, optimised, side by side in target/dist
release: agent
	cargo build --release --locked -p ovenbird
	install -D -t $(DIST) $(TARGET)/release/ovenbird $(AGENT) $(SEAL)

debug: agent
	cargo build --locked -p ovenbird

# Static, so that they run in any image. glibc's static form is enough: the agent names its hosts by address or by plain DNS.
agent:
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile agent -p ovenbird-agent -p ovenbird-seal --target $(TRIPLE)

## The main job, end to end, on the embedded EC2
demo: setup-demo debug
	scripts/demo

## All checks and tests
# The runner builds the program itself: with the features that tests ask of libraries, a build of its own would be another one.
test: setup-test lint venv agent
	scripts/run-tests

## Ovenbird against Packer, and what growth costs; writes target/bench.json and docs/benchmarks.md
bench: setup-bench release
	cargo build --release --locked -p ovenbird-bench
	scripts/bench $(BENCH)

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

fmt:
	cargo fmt --all

# The foreign clients that the tests use: the aws command line, boto3, the moto server.
venv:
	tests/venv

setup-demo:
	scripts/setup demo

setup-test:
	scripts/setup test

setup-bench:
	scripts/setup test

## End the demo's embedded EC2 and forget all that it made
clean-demo:
	scripts/demo --clean
