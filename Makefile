# SPDX-License-Identifier: MIT
# A thin front: meson and ninja build, scripts/ do the rest.
#
#   make               build/rill and the library
#   make demo          real files between the kernel's TCP and Rill, no root needed
#   make test          everything that .ci/run checks
#   make bench         Rill beside the kernel's TCP on the same link
#   make fuzz T=3600   libFuzzer for T seconds (60)
#   make mutants       which flipped decisions in src/tcp no test notices (MUTANTS=flags)
#   make conformance   doc/conformance.md and doc/states.svg anew
#   make lint, make install (DESTDIR=, PREFIX=), make clean

T	?= 60
PREFIX	?= /usr/local
export PREFIX NINJAFLAGS

all: setup-build build

build build-asan build-clang build-fuzz: FORCE
	@scripts/build $@

setup-build:
	@scripts/setup build

demo:
	@scripts/setup demo
	@$(MAKE) --no-print-directory build
	@scripts/demo

test:
	@scripts/setup test
	@scripts/run-tests $(SUITES)

bench:
	@scripts/setup bench
	@$(MAKE) --no-print-directory build
	@bench/run $(BENCHFLAGS)

fuzz:
	@scripts/setup test
	@$(MAKE) --no-print-directory build-fuzz
	@scripts/fuzz $(T)

mutants:
	@scripts/setup test
	@$(MAKE) --no-print-directory build
	@scripts/mutants $(MUTANTS)

lint:
	@scripts/setup test
	@test/lint/run

conformance:
	@scripts/state-diagram
	@scripts/conformance

install: all
	@meson install -C build $(if $(DESTDIR),--destdir $(DESTDIR))

clean:
	rm -rf build build-asan build-clang build-fuzz

FORCE:
.PHONY: all build build-asan build-clang build-fuzz setup-build demo test bench fuzz lint conformance install clean FORCE
