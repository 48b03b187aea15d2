# make demo: sets everything up and runs the sample recordings to a report.   make test: sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# uv where it is there (faster), pip otherwise.
UV := $(shell command -v uv 2>/dev/null)

.PHONY: setup demo test lint dev report clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	UV_COMPILE_BYTECODE=1 $(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
endif
	touch $(STAMP)

demo: setup
	$(BIN)/iqs demo

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/iqs lint-sql

dev: setup
	mkdir -p data/dagster && cp dagster.yaml data/dagster/dagster.yaml
	DAGSTER_HOME=$(CURDIR)/data/dagster $(BIN)/dagster dev

report: setup
	$(BIN)/iqs report --open

clean:
	rm -rf $(VENV) data/demo data/lake data/warehouse data/published data/dagster dbt_project/target
