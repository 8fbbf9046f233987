# make         set everything up in .venv and run the whole pipeline
# make test    the same set-up, then lint, unit tests, a tiny end-to-end run and the data checks
# Everything else is plain Snakemake: .venv/bin/snakemake --list-target-rules

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DELETE_ON_ERROR:
.PHONY: all test lint unit clean

all: $(READY)
	$(BIN)/snakemake --cores all

test: lint unit
	$(BIN)/snakemake --cores all checks graph_checks

lint: $(READY)
	$(BIN)/ruff check workflow tests benchmarks
	$(BIN)/ruff format --check workflow tests benchmarks
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/lint-imports --no-cache
	$(BIN)/reuse lint --quiet || $(BIN)/reuse lint

unit: $(READY)
	$(BIN)/python -m pytest tests -n auto --dist loadscope

# PyTorch first: torchvision and timm then take the build that is there, and add none of their own.
$(READY): envs/requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgejoule needs Python 3.11 or newer; say make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep -E '^torch==' envs/requirements.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# Live recordings in results/measure stay: nothing can make them again. Freeze them, then delete them. What was downloaded
# into results/traces stays too.
clean:
	find results -mindepth 1 -maxdepth 1 ! -name README.md ! -name measure ! -name traces -exec rm -rf {} +
