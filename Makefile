# Thin: every target calls a CMake preset or a script of tools/.
.DEFAULT_GOAL := help
.PHONY: help setup build census demo test check check-browser check-wheel format check-all asan tsan clang tidy fuzz benchmarks clean
jobs := $(shell nproc)
sources = git ls-files '*.cpp' '*.c' '*.h'

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what is missing (Debian packages by apt, Python packages into .venv)
	tools/setup

build: setup ## the program and the tests, optimised, in build/release
	cmake --preset release
	cmake --build --preset release

census: setup ## fetch the Census-Income table into .cache/census-income
	tools/census

demo: setup ## fetch Census-Income, train on it and show what came out
	cmake --preset release
	cmake --build --preset release --target gatewise
	tools/demo

test: build ## build and run all tests
	ctest --preset release --parallel $(jobs)

check: ## formatting, include layers, sizes, words
	tools/setup check
	$(sources) | xargs clang-format-14 --dry-run --Werror --ferror-limit=2
	tools/check_layers.py
	tools/check_size.py
	tools/check_words.py

format: ## format the C++ sources
	tools/setup check
	$(sources) | xargs clang-format-14 -i

check-browser: ## HTML reports in a headless Chromium
	tools/setup browser
	cmake --preset release
	cmake --build --preset release --target gatewise
	tests/browser/report_test.py build/release/gatewise

check-wheel: ## pip install . into a fresh virtual environment, and what it needs
	tools/setup
	tests/wheel/wheel_test.py

check-all: export GATEWISE_LONG_TESTS = 1
check-all: check clang tidy asan tsan check-browser check-wheel ## check, and every test under Clang and the sanitizers, and clang-tidy

asan tsan: setup
	cmake --preset $@
	cmake --build --preset $@
	ctest --preset $@ --parallel $(jobs)

clang:
	tools/setup clang
	cmake --preset clang
	cmake --build --preset clang
	ctest --preset clang --parallel $(jobs)

# The units of files that are compiled together include .cpp files on purpose. What nanobind adds is not ours.
tidy: clang
	run-clang-tidy-14 -quiet -j $(jobs) -p build/clang -checks=-bugprone-suspicious-include '^((?!\.venv).)*$$'

# seconds=30 for a short run, targets="graph rows" for some
fuzz: ## libFuzzer over every parser that faces the outside, ten minutes each
	tools/setup clang
	cmake --preset fuzz
	cmake --build --preset fuzz
	tools/fuzz $(or $(seconds),600) $(targets)

benchmarks: ## build the benchmarks in build/benchmarks
	tools/setup benchmarks
	cmake --preset benchmarks
	cmake --build --preset benchmarks

clean: ## remove build/ (not .venv and .cache)
	rm -rf build
