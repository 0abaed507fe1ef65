# readbrief: everything a developer runs. `make help` explains.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := schemas producers streams sinks readbrief
BENCH ?= all

# Where the environment forbids it, each of the hundreds of processes that tests start would compile us anew (0.7 s each).
export PYTHONDONTWRITEBYTECODE :=

# Side by side where nothing stands against it: packages are installed from two places, styles and types are checked.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=2
endif

# By uv, which takes a tenth of pip's time; by pip where that is set up for packages from elsewhere, and uv is not.
PIP := $(BIN)/python -m pip install --disable-pip-version-check
install = $(BIN)/uv pip install --python $(BIN)/python $(1) || { $(PIP) --quiet --upgrade 'pip>=25.1' && $(PIP) $(1); }

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check static format lint types imports snippet bench clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Install what the demo and production need, into .venv

setup-dev: $(VENV)/.installed-dev ## Install what tests and checks need: developer tools, Chromium, Apache Kafka

demo: $(VENV)/.installed ## Run the whole system with a sample company, and watch briefs go out
	@$(BIN)/readbrief demo

test: $(VENV)/.installed-dev ## Run all tests, in a real browser, on the embedded broker and on Apache Kafka
	@$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations 25 $(TESTS) || { [ $$? -eq 1 ] \
	  && echo "== what failed beside other tests is run again by itself, and must pass then" \
	  && $(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(TESTS); }

check: static ## Everything CI runs
	@$(MAKE) --no-print-directory test

static: types format lint imports snippet ## Everything CI runs but the tests

format: $(VENV)/.installed-dev ## Check the formatting (mend it with: .venv/bin/ruff format)
	@$(BIN)/ruff format --check --quiet .
lint: $(VENV)/.installed-dev ## Check the style
	@$(BIN)/ruff check --quiet .
types: $(VENV)/.installed-dev ## Check the types, strictly
	@$(BIN)/mypy
imports: $(VENV)/.installed-dev ## Check that imports point down
	@$(BIN)/lint-imports --no-cache
snippet: $(VENV)/.installed-dev ## Check that the served snippet is what its source gives
	@if command -v npm >/dev/null; then $(BIN)/python -m producers.snippet.build --check; \
	else echo "npm is missing: install Node.js, so that the served snippet can be checked against its source"; exit 1; fi

bench: $(VENV)/.installed-dev ## Run the benchmarks (BENCH=name for one of them)
	@$(BIN)/python -m benchmarks $(BENCH)

clean: ## Remove what was installed and built here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "readbrief needs Python 3.11 or newer; choose one with: make PYTHON=python3.11 ..."; exit 1; }
	@echo "== creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	@echo "== installing readbrief and its libraries into $(VENV)"
	@$(PIP) --quiet 'uv>=0.5'
	@$(call install,--editable .)
	@touch $@

$(VENV)/.libraries-dev: $(VENV)/.installed
	@echo "== installing the developer tools into $(VENV)"
	@$(call install,--group dev)
	@touch $@

$(VENV)/.programs: $(VENV)/.created
	@$(PYTHON) -m tests.support.programs
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.libraries-dev $(VENV)/.programs
	@$(BIN)/python -m tests.support.install
	@touch $@
