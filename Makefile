# make demo      read the pictures in examples/ (installs the runtime alone, 200 MB)
# make test      ruff, mypy, and the tests on the built wheel (installs everything, 2.5 GB)
# make install   .venv with everything
# make bench     the benchmarks, half an hour on a quiet machine; writes benchmarks/results/ and the tables of README.md
# make fonts     the font families that the shipped networks were trained with, into fonts/ (needs npm; 2 MB)
# make clean     remove what these made

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt $(shell find src runtime train export cli -type f -not -path '*/__pycache__/*')

.PHONY: demo test install bench fonts clean wheel

demo: .venv/runtime
	$(BIN)/digitocr predict examples/

test: .venv/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --package digitocr
	$(BIN)/pytest

install: .venv/all

bench: .venv/all
	for question in models reader cold training footprint folder; do $(BIN)/python benchmarks/$$question.py || exit 1; done

fonts:
	mkdir -p fonts
	cd fonts && for family in $$(cat ../train/synthesis/fonts.txt); do \
	  pack=$$(npm pack --silent @fontsource/$$family) && \
	  tar xzf $$pack --strip-components=2 --wildcards 'package/files/*-latin-[47]00-normal.woff2' && rm $$pack || exit 1; \
	done

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(BIN)/pip:
	$(PYTHON) -m venv .venv

# Each stamp is made anew when a source changes: the wheel is built, and it alone is what runs.
.venv/runtime: $(SOURCES) | $(BIN)/pip
	$(MAKE) wheel
	$(PIP) dist/*.whl
	touch $@

.venv/all: $(SOURCES) | $(BIN)/pip
	$(MAKE) wheel
	$(PIP) "$$(echo dist/*.whl)[all]"
	touch $@

wheel:
	rm -rf dist build/lib build/bdist.*
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	$(BIN)/pip uninstall --quiet --yes digitocr
