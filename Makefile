# make repro, make test: all that a fresh machine with Python 3.11 to 3.13, git and make needs.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null)) python3)
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help env repro test lint docs bench lock clean

help:
	@echo "make repro   environment and the pipeline on the embedded corpus"
	@echo "make test    environment, lint, types and all tests"
	@echo "make lint    ruff, mypy and the arrows between rooms"
	@echo "make docs    the API reference, in docs/api"
	@echo "make bench   the benchmarks"
	@echo "make lock    renew constraints.txt from pyproject.toml"
	@echo "make clean   remove the environment and everything the pipeline made"

env: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "$(PYTHON) is $$($(PYTHON) --version); set PYTHON=python3.12 or another from 3.11 to 3.13"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

repro: env
	$(BIN)/dvc repro
	@$(BIN)/atvgnet report

test: env lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: env
	$(BIN)/python docs/api.py

bench: env
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

lock: env
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url --upgrade pyproject.toml --output-file constraints.txt

clean:
	rm -rf $(VENV) data/sample data/clips data/faces data/mfcc models reports mlflow.db mlartifacts .dvc/cache .dvc/tmp *.egg-info
