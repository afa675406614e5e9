# Two commands matter: `make run` builds everything bundled, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
VALIDATORS := .validators
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: run test check validators site-sql serve ui bench clean

run: $(READY)  ## all bundled waves to warehouse and packages
	$(BIN)/barometer run

test: $(READY)  ## the whole suite
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(READY)  ## format, lint, types, floors, declarations
	$(BIN)/ruff format --check pipeline barometer tests benchmarks
	$(BIN)/ruff check pipeline barometer tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/barometer check

validators: $(VALIDATORS)/.ready  ## readers of other projects; the tests that need them skip without

site-sql: .sqljs/sql-wasm.wasm  ## the engine of the site's SQL page, for the next run (needs npm)

serve: $(READY)  ## the site on 127.0.0.1:8000
	$(BIN)/barometer serve

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

.sqljs/sql-wasm.wasm: pipeline/site/sqljs/package-lock.json
	mkdir -p .sqljs/node
	cp pipeline/site/sqljs/package.json pipeline/site/sqljs/package-lock.json .sqljs/node
	cd .sqljs/node && npm ci --silent --ignore-scripts --no-audit --no-fund
	cp .sqljs/node/node_modules/sql.js/dist/sql-wasm.js .sqljs/node/node_modules/sql.js/dist/sql-wasm.wasm .sqljs
	@touch $@

$(VALIDATORS)/.ready: tests/validators/requirements.txt tests/validators/package-lock.json
	$(PYTHON) -m venv $(VALIDATORS)/python
	$(VALIDATORS)/python/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/validators/requirements.txt
	mkdir -p $(VALIDATORS)/node
	cp tests/validators/package.json tests/validators/package-lock.json $(VALIDATORS)/node
	cd $(VALIDATORS)/node && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $(VALIDATORS)/.ready
