# Two commands matter: `make run` builds everything bundled, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: run test check ui bench clean

run: $(READY)  ## all bundled waves to warehouse and packages
	$(BIN)/barometer run

test: $(READY)  ## the whole suite
	$(BIN)/python -m pytest

check: $(READY)  ## format, lint, types, floors, declarations
	$(BIN)/ruff format --check pipeline tests benchmarks
	$(BIN)/ruff check pipeline tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/barometer check

ui: $(READY)  ## Dagster on 127.0.0.1:3000 with the bundled barometer
	$(BIN)/barometer ui

bench: $(READY)  ## benchmarks, as ratios within one run
	$(BIN)/python -m benchmarks

clean:  ## everything that was built, not the raw files
	git clean -fdXq -e '!$(VENV)' -- warehouse .dagster

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)
