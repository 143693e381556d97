# `make demo` and `make test` each do all that is needed on a fresh machine with Python 3.11, make and a C++ compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements-installed
DOCS_STAMP := $(VENV)/.docs-installed
COMMAND := $(VENV)/.headrace-installed
WORKERS ?= 2

.PHONY: demo test check docs bench conformance faults models route-tests notebooks wheels dashboard setup clean

demo: setup ## train, submit, search, simulate, plot: the whole path
	$(BIN)/headrace demo

test: $(STAMP) ## the default suite
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

check: $(STAMP) ## style, types, layering
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCS_STAMP) ## the documentation site below build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(STAMP) ## print every figure of merit in one run
	$(BIN)/python -m benchmarks

conformance: $(STAMP) ## every operator x format x lanes x back-pressure, and planted faults
	$(BIN)/python -m pytest -m "slow or planted" -n $(WORKERS) tests/hwgen --conformance-report docs/conformance.md

faults: $(STAMP) ## kill, stop and cut off, and look at rows and processes
	$(BIN)/python -m pytest -m slow tests/db tests/workers tests/e2e

models: $(STAMP) ## published models from upload to bundle, as long as it takes
	$(BIN)/python -m pytest -m slow tests/models

route-tests: $(STAMP) ## place and route with the real tools: clocks, bitstreams, a part that is too small
	$(BIN)/python -m pytest -m slow tests/hwgen/test_route.py tests/hwgen/test_bundle.py

notebooks: $(STAMP) ## the notebooks of examples/ from clean kernels, and a sweep through a killed one
	$(BIN)/python -m pytest tests/notebooks

wheels: $(STAMP) ## build both wheels into dist, install and run them in empty environments of every Python here
	$(BIN)/python -m tests.install.wheels dist
	HEADRACE_WHEELS_REPORT=docs/wheels.md $(BIN)/python -m pytest -m "slow or not slow" tests/install

dashboard: ## rebuild api/static/dashboard from dashboard/; needs node 20
	cd dashboard && npm ci --no-audit --no-fund && npm run build

setup: $(STAMP) $(COMMAND) ## install everything below .venv

$(STAMP): requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	touch $@

$(DOCS_STAMP): $(STAMP) requirements-docs.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-docs.txt
	touch $@

$(COMMAND): $(STAMP) pyproject.toml service/pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable . --editable ./service
	touch $@

clean: ## remove what was built, keep the environment
	rm -rf build service/build dist demo_output .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
