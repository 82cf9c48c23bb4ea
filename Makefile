# Two commands do all the set-up: `make demo` and `make test`.
# Everything is installed into .venv, from the committed uv.lock; uv itself too, where it is missing.

PYTHON ?= python3
VENV := .venv
UV = $$(command -v uv || echo $(VENV)/bin/uv)
export UV_PROJECT_ENVIRONMENT := $(VENV)
# The Python that is here is the one that is used.
export UV_PYTHON_DOWNLOADS := never
# Compiled once here, so that the first command starts as fast as the next.
export UV_COMPILE_BYTECODE := 1

.PHONY: help demo test check fix bench score fuzz clean
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## Load the sample reports and open the app (ARGS=--no-serve: stop before serving)
	@$(VENV)/bin/whosends demo $(ARGS)

test: $(VENV)/.dev ## Install what the tests need, then check and test everything
	@sh tests/setup.sh
	@$(MAKE) --no-print-directory check
	$(VENV)/bin/pytest -n auto --dist loadgroup $(ARGS)

check: $(VENV)/.dev ## Lint, formatting, types, import walls
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

fix: $(VENV)/.dev ## Format, and mend what can be mended
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.dev ## Measure what it costs, and write docs/performance.md (ARGS=--quick: one minute, writes nothing)
	@$(VENV)/bin/python -m benchmarks $(ARGS)

fuzz: $(VENV)/.dev ## Attack the reader at random for ten minutes (ARGS="--minutes 60 --seed 1"; ARGS="--replay FILE")
	@$(VENV)/bin/python -m tests.fuzz $(ARGS)

WORLDS = $(if $(findstring --quick,$(ARGS)),5,50)
score: $(VENV)/.dev ## Score every judgement in invented worlds: who sends, drift, changes, forecasts (ARGS=--quick: five of each)
	@$(VENV)/bin/python -m benchmarks.score $(ARGS)
	@$(VENV)/bin/python -m benchmarks.drift_worlds 2000 $(WORLDS)
	@$(VENV)/bin/python -m benchmarks.change_worlds 2000 $(WORLDS)
	@$(VENV)/bin/python -m benchmarks.cause_worlds 2000 320
	@$(VENV)/bin/python -m benchmarks.readiness_worlds --worlds $(WORLDS)

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "whosends needs Python 3.11 or newer; name one with 'make PYTHON=python3.12 …'." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@command -v uv >/dev/null || $(VENV)/bin/python -m pip install --quiet uv

# Inexact, so that a uv inside the environment stays there.
$(VENV)/.run: pyproject.toml uv.lock | $(VENV)/bin/python
	@$(UV) sync --quiet --frozen --inexact --no-dev
	@touch $@

$(VENV)/.dev: pyproject.toml uv.lock | $(VENV)/bin/python
	@$(UV) sync --quiet --frozen --inexact
	@touch $@ $(VENV)/.run
