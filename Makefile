# make demo   install, then the review screen on the built-in sandbox (without a terminal: a batch run)
# make test   install, then format, lint, types, import contracts and every test
# make coverage  the same tests, and which lines and branches of selfplay_core they reach
# make soak   a thousand prompts through each fault of both servers (SOAK_PROMPTS=n), then storms of kill -9 five times as
#             long as those of the tests (STORM_SEED=n for other moments)
# make bench  every benchmark, and benchmarks/RESULTS.md made of them; half an hour, asserts nothing
# make fuzz   every fuzzing target under atheris, each for FUZZ_SECONDS (60), in an environment of its own
# make test-realllm  a whole round on a real model server with a random model; compiles llama.cpp once (some minutes)
# make test-consumers  the trainers' own code over the golden files, in an environment of its own (1.5 GB)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= 3
# They look at what a bare interpreter loads, and the one that is measured is not bare.
NOT_UNDER_COVERAGE := tests/test_options.py::test_help_loads_nothing_slow \
  tests/test_simulator.py::test_it_loads_no_screen_and_speaks_to_nothing
SOAK_PROMPTS ?= 1000
CONSUMERS := .venv-consumers
CONSUMER_TESTS := tests/consumers
REALLLM := .venv-realllm
REALLLM_TESTS := tests/realllm
FUZZING := .venv-fuzz
FUZZ_SECONDS ?= 60
STORM_SEED ?= 20

.PHONY: demo coverage test format lint types contracts tests soak fuzz test-realllm test-consumers bench clean

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
	$(BIN)/pytest -n $(JOBS) --dist loadfile

soak: $(VENV)/.dev
	$(BIN)/pytest -n $(JOBS) tests/test_soak.py --soak-prompts $(SOAK_PROMPTS)
	$(BIN)/pytest --soak --storm-seed $(STORM_SEED) tests/test_storm.py

coverage: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) --dist loadfile $(addprefix --deselect ,$(NOT_UNDER_COVERAGE))
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under 95

test-consumers: $(CONSUMERS)/.ready
	$(CONSUMERS)/bin/python -m pytest $(CONSUMER_TESTS)

test-realllm: $(REALLLM)/.ready
	$(REALLLM)/bin/python -m pytest $(REALLLM_TESTS)

fuzz: $(FUZZING)/.ready
	$(FUZZING)/bin/python -m tests.fuzzing --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(CONSUMERS) $(REALLLM) $(FUZZING) .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python $(CONSUMERS)/bin/python $(REALLLM)/bin/python $(FUZZING)/bin/python:
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

$(REALLLM)/.ready: $(REALLLM)/bin/python pyproject.toml $(REALLLM_TESTS)/requirements.txt
	$(REALLLM)/bin/python -m pip --disable-pip-version-check install --quiet --requirement $(REALLLM_TESTS)/requirements.txt --editable .
	@touch $@

# atheris has wheels for Linux on x86-64; elsewhere it needs clang, and without it `python -m tests.fuzzing` says what to do.
$(FUZZING)/.ready: $(FUZZING)/bin/python pyproject.toml tests/fuzzing/requirements.txt
	$(FUZZING)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt --editable .
	-$(FUZZING)/bin/python -m pip --disable-pip-version-check install --quiet --requirement tests/fuzzing/requirements.txt
	@touch $@
