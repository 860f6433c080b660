# `make repro` and `make test` need only Python 3.11 to 3.13, git and make.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell python$(v) -c 'print("python$(v)")' 2>/dev/null)) python3)
TORCH ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help checkout env dev repro test test-fast test-lowest lint docs bench lock clean
.NOTPARALLEL:

help:
	@echo "make repro   set up the environment and run the pipeline on the embedded corpus: about ten minutes on two cores;"
	@echo "             TORCH=cpu leaves out GPU support and saves several GB"
	@echo "make test    set up the environment and run lint, type checks and all tests"
	@echo "make test-fast   as make test, with the fast tests only"
	@echo "make test-lowest  run tests with the lowest versions that pyproject.toml allows, in .venv-lowest"
	@echo "make env     set up the environment in $(VENV); TORCH=cpu as above"
	@echo "make dev     set up the environment with the tools for tests, lint and docs"
	@echo "make lint    run ruff, mypy and the import rules between packages"
	@echo "make docs    write the API reference to docs/api"
	@echo "make bench   run the benchmarks that need no other corpus"
	@echo "make lock    renew constraints.txt from pyproject.toml"
	@echo "make clean   delete the environment, the clips, models and reports that dvc repro made, MLflow's runs, and DVC's"
	@echo "             cache and experiments; keep models/pretrained, your own data, bundles and videos"

define right_python
@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
  || { echo "$(PYTHON) is $$($(PYTHON) --version); set PYTHON=python3.12 or another from 3.11 to 3.13"; exit 1; }
endef

define compiled
@echo "Compiling the packages, about a minute ..."
$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # some packages contain files for other Python versions
endef

checkout:
	$(right_python)
	@$(or $(wildcard $(BIN)/python),$(PYTHON)) -m pipeline.runtime.checkout

env: $(VENV)/.complete

dev: $(VENV)/.dev

# A torch that is already installed is kept, for example one installed by hand.
$(VENV)/.complete: pyproject.toml constraints.txt
	$(right_python)
	@echo "Installing into $(VENV): 2.7 GB with a CPU build of torch, some minutes. The CUDA libraries of the standard"
	@echo "build for Linux take several GB more; without an NVIDIA GPU, add TORCH=cpu to leave them out."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(TORCH),$(PIP) install --no-compile --no-deps torch==$(shell sed -n 's/^torch==//p' constraints.txt) \
	  --index-url https://download.pytorch.org/whl/$(TORCH))
	$(PIP) install --no-compile --constraint constraints.txt --editable '.[pipeline,app,onnx]'
	$(compiled)
	@touch $@
	@echo "The environment is ready. To use it: source $(BIN)/activate, then atvgnet -h"

$(VENV)/.dev: $(VENV)/.complete
	@echo "Adding the tools for tests, lint and docs: 0.5 GB"
	$(PIP) install --no-compile --constraint constraints.txt --editable '.[dev]'
	$(compiled)
	@touch $@

repro: checkout env
	@echo "Running the pipeline: about ten minutes on two cores; finished stages are skipped."
	$(BIN)/dvc repro
	@$(BIN)/atvgnet report

test: env dev lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-fast: env dev lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "not slow"

# uv finds the lowest versions, and pip installs them: uv would replace a CPU build of torch by the GPU build.
LOWEST := .venv-lowest
LOWEST_TESTS := tests/test_cli.py tests/config tests/runtime/test_table.py tests/media/test_picture.py \
  tests/media/test_read_frames.py tests/media/test_video_writer.py tests/bundles/test_bundle.py \
  tests/bundles/test_onnx.py tests/shards/test_build.py tests/inference/test_video.py tests/app/test_uploads.py \
  tests/evaluation/test_tables.py tests/evaluation/score tests/tracking/test_models.py tests/stages/test_declare.py

test-lowest: env dev
	test -x $(LOWEST)/bin/python || $(BIN)/python -m venv $(LOWEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url pyproject.toml --output-file $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --no-compile --constraint $(LOWEST)/lowest.txt --editable '.[dev]'
	PATH="$(CURDIR)/$(LOWEST)/bin:$(PATH)" $(LOWEST)/bin/python -m pytest $(LOWEST_TESTS)

lint: env dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers auto
	$(BIN)/lint-imports

docs: env dev
	$(BIN)/python docs/api.py
	@echo "The API reference: docs/api/index.html"

# These need arguments, such as the folder of a corpus. The docstring of each has an example.
WITH_ARGUMENTS := $(addprefix benchmarks/,av_offset.py closed_lips.py evaluation.py known_fakes.py metrics.py \
  outside_mouth.py portraits.py unseen_voices.py voices.py whole_videos.py)

bench: env dev
	for file in $(filter-out $(WITH_ARGUMENTS),$(sort $(wildcard benchmarks/*.py))); do $(BIN)/python $$file || exit 1; done

lock: env dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url --upgrade pyproject.toml --output-file constraints.txt

# DVC experiments are stored in git (refs/exps) and need the cache, so both are removed or both are kept.
clean:
	rm -rf $(VENV) $(LOWEST) *.egg-info build data/sample data/.sample.* data/portraits data/clips data/faces data/mfcc data/quality \
	  models/landmarks models/atnet models/vgnet models/bundle.json models/provenance.json \
	  reports/*.csv reports/info.json reports/means.json reports/index.html reports/metrics.png reports/pictures reports/videos \
	  docs/api dvc_plots mlflow.db* mlartifacts .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find benchmarks docs pipeline stages tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	@if find . -name '*.dvc' -type f ! -path './.dvc/*' | grep -q .; \
	  then echo "left: DVC's cache and experiments. The cache may have the only copy of what you gave to dvc add"; \
	  elif [ "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$$(pwd -P)" ]; \
	  then rm -rf .dvc/cache .dvc/tmp; \
	    if [ "$$(git rev-parse --git-dir)" = "$$(git rev-parse --git-common-dir)" ]; \
	    then git for-each-ref --format='delete %(refname)' refs/exps | git update-ref --stdin; \
	    else echo "left: experiments, because all worktrees of this repository share them"; fi; \
	  else rm -rf .dvc/cache .dvc/tmp; fi
