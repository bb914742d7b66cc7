# Everything is set up by these two: `make run` (the sample, end to end) and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: run crawl test train quick soak check dist licences bench

run: .venv/core ## real web pages in, a published dataset out
	$(BIN)/karez run infra/recipes/sample.toml

crawl: .venv/core ## the small site that ships, served here, crawled and published
	$(BIN)/python infra/site.py tests/data/site 8765 $(BIN)/karez run infra/recipes/crawl.toml

test: check quick .venv/train ## everything
	$(BIN)/python -m pytest -m "(server or slow or train) and not soak"

train: .venv/train ## what needs torch
	$(BIN)/python -m pytest -m "train and not soak"

quick: .venv/dev ## what needs no server and takes seconds
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not server and not slow and not soak and not train"

soak: .venv/dev ## killed at thirty moments; an hour of mutated inputs
	$(BIN)/python -m pytest -m soak

check: .venv/dev ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

dist: .venv/dev ## wheel and source, tried where nothing else is
	$(BIN)/python -m hatchling build --clean
	$(BIN)/python -m pytest -m "not train" tests/test_dist.py

licences: .venv/train .venv/google/done ## of what Karez and its extras are installed with
	$(BIN)/python infra/licences.py infra/requirements.txt infra/requirements-train.txt
	.venv/google/bin/python infra/licences.py infra/requirements-google.txt

.venv/core: infra/requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON) here: install Python 3.11 or newer and say make PYTHON=python3.x"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r infra/requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: .venv/core infra/requirements-dev.txt
	$(BIN)/pip install --quiet --require-hashes -r infra/requirements-dev.txt
	touch $@

.venv/train: .venv/dev infra/requirements-train.txt
	$(BIN)/pip install --quiet --require-hashes -r infra/requirements-train.txt
	touch $@

.venv/google/done: infra/requirements-google.txt
	$(PYTHON) -m venv .venv/google
	.venv/google/bin/pip install --quiet --require-hashes -r infra/requirements-google.txt
	touch $@

pins: ## pin the dependencies anew, for any platform
	printf 'hatchling\neditables\n' > .venv/build.in
	uv pip compile $(PINS) --extra s3 pyproject.toml .venv/build.in -o infra/requirements.txt
	uv pip compile $(PINS) --extra s3 --extra dev -c infra/requirements.txt pyproject.toml .venv/build.in -o infra/requirements-dev.txt
	uv pip compile $(PINS) --extra s3 --extra gs --extra dataflow -c infra/requirements.txt pyproject.toml .venv/build.in -o infra/requirements-google.txt
	uv pip compile $(PINS) --extra s3 --extra train -c infra/requirements-dev.txt pyproject.toml .venv/build.in -o infra/requirements-train.txt

PINS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

bench: .venv/dev ## what a run costs, beside what it must cost
	set -e; for name in $(BENCHES); do $(BIN)/python tests/bench/$$name.py; done

BENCHES := bench neardup growth languages classifier personal rules crawl price race
BENCHES += selection_languages selection_noise extraction
