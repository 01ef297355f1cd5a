# make demo   install, then the review screen on the built-in sandbox (without a terminal: a batch run)
# make test   install, then format, lint, types, import contracts and every test
# make bench  every benchmark, and benchmarks/RESULTS.md made of them; half an hour, asserts nothing
# make test-consumers  the trainers' own code over the golden files, in an environment of its own (1.5 GB)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CONSUMERS := .venv-consumers
CONSUMER_TESTS := tests/consumers

.PHONY: demo test format lint types contracts tests test-consumers bench clean

demo: $(VENV)/.runtime
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/selfplay-tui --rounds 10; else $(BIN)/selfplay-tui --headless --rounds 2; fi

test: lint types contracts tests

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

tests: $(VENV)/.dev
	$(BIN)/pytest

test-consumers: $(CONSUMERS)/.ready
	$(CONSUMERS)/bin/python -m pytest $(CONSUMER_TESTS)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(CONSUMERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python $(CONSUMERS)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# torch before all else, so that a build without CUDA that pip was pointed to stays; the converters last and alone, as
# they ask for CUDA packages and for versions that exclude each other.
$(CONSUMERS)/.ready: CPIP = $(CONSUMERS)/bin/python -m pip --disable-pip-version-check install --quiet
$(CONSUMERS)/.ready: $(CONSUMERS)/bin/python pyproject.toml $(wildcard $(CONSUMER_TESTS)/requirements*.txt)
	$(CPIP) $$(grep '^torch==' $(CONSUMER_TESTS)/requirements.txt)
	$(CPIP) --requirement $(CONSUMER_TESTS)/requirements.txt --editable .
	$(CPIP) --no-deps --requirement $(CONSUMER_TESTS)/requirements-no-deps.txt
	@touch $@
