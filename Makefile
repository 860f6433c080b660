# make repro, make test: all that a fresh machine with Python 3.11 to 3.13, git and make needs.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null)) python3)
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help checkout env repro test test-lowest lint docs bench lock clean
.NOTPARALLEL:

help:
	@echo "make repro   environment and the pipeline on the embedded corpus"
	@echo "make test    environment, lint, types and all tests"
	@echo "make test-lowest  tests with the lowest versions that pyproject.toml admits, in .venv-lowest"
	@echo "make lint    ruff, mypy and the arrows between rooms"
	@echo "make docs    the API reference, in docs/api"
	@echo "make bench   the benchmarks"
	@echo "make lock    renew constraints.txt from pyproject.toml"
	@echo "make clean   remove the environment and everything the pipeline made, its runs and experiments too"

define right_python
@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
  || { echo "$(PYTHON) is $$($(PYTHON) --version); set PYTHON=python3.12 or another from 3.11 to 3.13"; exit 1; }
endef

checkout:
	$(right_python)
	@$(or $(wildcard $(BIN)/python),$(PYTHON)) -m pipeline.runtime.checkout

env: $(VENV)/.complete

$(VENV)/.complete: pyproject.toml constraints.txt
	$(right_python)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # on all cores; some packages carry files of other Pythons
	touch $@

repro: checkout env
	$(BIN)/dvc repro
	@$(BIN)/atvgnet report

test: env lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# uv finds the versions, pip installs them: where pip has the CPU build of torch, uv would take the one for GPUs.
LOWEST := .venv-lowest
LOWEST_TESTS := tests/test_cli.py tests/config tests/runtime/test_table.py tests/media/test_picture.py \
  tests/media/test_read_frames.py tests/media/test_video_writer.py tests/models/test_bundle.py \
  tests/models/onnx/test_export.py tests/shards/test_build.py tests/inference/test_generate.py tests/app/test_uploads.py \
  tests/evaluation/test_tables.py tests/evaluation/score tests/tracking/test_models.py tests/stages/test_declare.py

test-lowest: env
	test -x $(LOWEST)/bin/python || $(BIN)/python -m venv $(LOWEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url pyproject.toml --output-file $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --no-compile --constraint $(LOWEST)/lowest.txt --editable '.[dev]'
	PATH="$(CURDIR)/$(LOWEST)/bin:$(PATH)" $(LOWEST)/bin/python -m pytest $(LOWEST_TESTS)

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers auto
	$(BIN)/lint-imports

docs: env
	$(BIN)/python docs/api.py

bench: env
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

lock: env
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url --upgrade pyproject.toml --output-file constraints.txt

clean:
	rm -rf $(VENV) $(LOWEST) *.egg-info data/sample data/portraits data/clips data/faces data/mfcc data/quality \
	  models/landmarks models/atnet models/vgnet models/bundle.json models/provenance.json \
	  reports/*.csv reports/index.html reports/metrics.png reports/pictures reports/videos dvc_plots mlflow.db* mlartifacts .dvc/tmp
	@if find . -name '*.dvc' -type f ! -path './.dvc/*' | grep -q .; \
	  then echo "left: .dvc/cache, which may have the only copy of what you gave to dvc add"; \
	  else rm -rf .dvc/cache; fi
