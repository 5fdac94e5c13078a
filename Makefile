# make demo   the main job end to end on a sample      make test   all tests, four processes more than cores
# make demo-fleet  three movers on a PostgreSQL of its own, one killed
# make check  format, lint, types, tests               make bench  figures into docs/benchmarks.md
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests wait for processes and timers: four more than cores keep these busy.
JOBS ?= $(shell expr $$(nproc) + 4)
READY := $(VENV)/.ready
# pytest compiles tests in a way of its own; once and here, else every process does so at the same time.
COMPILED = { echo "compiling the tests once"; \
  ls -d tests/*/ | xargs -P 2 -n 3 $(BIN)/python -m pytest -q --collect-only > /dev/null || true; }

.PHONY: demo demo-fleet test soak lint check bench screenshots requirements build clean

demo: $(READY)
	@scripts/prepare run
	$(BIN)/wherry demo --dir .demo

demo-fleet: $(READY)
	@scripts/prepare fleet
	$(BIN)/wherry demo --fleet --dir .demo-fleet

test: $(READY)
	@scripts/prepare test
	@[ -d tests/faults/__pycache__ ] || $(COMPILED)
	$(BIN)/python -m pytest -m "not soak" -n $(JOBS)

# Takes long: every point of death and failure, every fault in every kind of step, 1,000 kills at random, 12,000
# simulated stories, hundreds of checkpoints of a real guest; it says at its end what was covered. A part of it:
# make soak PART=tests/faults/test_every_step.py
soak: $(READY)
	@scripts/prepare test
	$(BIN)/python -m pytest -m soak --timeout 7200 $(PART)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(READY)
	@scripts/prepare bench
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

screenshots: $(READY)
	$(BIN)/python -m tui.screenshot docs/pictures

build: $(READY)
	$(BIN)/python -m build --no-isolation

$(READY): requirements.txt requirements-dev.txt pyproject.toml
	@scripts/prepare run
	@echo "setting up $(VENV) once, under a minute"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Needs pip-tools; the result holds hashes and no index.
requirements:
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --strip-extras --no-header -o requirements.txt pyproject.toml
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --strip-extras --no-header --allow-unsafe --extra dev -o requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .demo .demo-fleet .cache/vcsim .cache/guest build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
