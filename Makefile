# Two commands matter: `make run` builds everything bundled, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
LOCKING := .locking
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
VALIDATORS := .validators
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: run test check evidence validators site-sql serve ui bench lock clean

run: $(READY)  ## all bundled waves to warehouse and packages
	$(BIN)/barometer schema
	$(BIN)/barometer run

test: $(READY_DEV)  ## the whole suite
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(READY_DEV)  ## format, lint, types, layers, declarations
	$(BIN)/ruff format --check pipeline barometer tools tests benchmarks
	$(BIN)/ruff check pipeline barometer tools tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/barometer check

evidence: $(READY)  ## R's answers on the samples of tests/evidence, again (needs R with its package survey)
	$(BIN)/python tests/evidence/draw.py
	Rscript tests/evidence/evidence.R
	folder=$$(mktemp -d) && $(BIN)/python tests/evidence/walks/draw.py $$folder && Rscript tests/evidence/walks/walks.R $$folder

validators: $(VALIDATORS)/.ready  ## readers of other projects; the tests that need them skip without

site-sql: .sqljs/sql-wasm.wasm  ## the engine of the site's SQL page, for the next run (needs npm)

serve: $(READY)  ## the site on 127.0.0.1:8000
	$(BIN)/barometer serve

ui: $(READY)  ## Dagster on 127.0.0.1:3000 with the bundled barometer
	$(BIN)/barometer ui

bench: $(READY_DEV)  ## benchmarks, as ratios within one run
	$(BIN)/python -m benchmarks

lock: $(LOCKING)/bin/uv  ## the exact versions and hashes of all libraries, for every Python and system supported; UPGRADE=--upgrade for newer ones
	$(COMPILE) --all-extras --group build --output-file requirements.lock
	$(COMPILE) --all-extras --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:  ## everything that was built, not the raw files
	git clean -fdXq -e '!$(VENV)' -- warehouse .dagster

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(READY)

$(READY_DEV): $(READY) requirements-dev.lock
	$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $(READY_DEV)

COMPILE = $(LOCKING)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)

$(LOCKING)/bin/uv:
	$(PYTHON) -m venv $(LOCKING)
	$(LOCKING)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

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
