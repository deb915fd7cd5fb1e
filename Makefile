# make demo         read the pictures in examples/ (installs the runtime, 475 MB)
# make test         ruff, mypy, and the tests on the built wheel (installs everything, 2.5 GB)
# make test-lowest  the runtime's tests with the lowest versions that pyproject.toml allows
# make fuzz         damages pictures, models and JSON for ten minutes, reads them in processes with limits, and prints what
#                   became of them; make fuzz SECONDS=60
# make soak         kills commands at random moments, breaks what they write to, and watches a drawn meter; prints tables;
#                   make soak KILLS=50
# make sbom         what the installed version consists of, as CycloneDX, in dist/
# make reproducible builds the wheel twice and compares the bytes
# make docs         the documentation as a site, in site/ (installs no TensorFlow)
# make install      .venv with everything
# make bench        the benchmarks, half an hour on a quiet machine; writes benchmarks/results/ and docs/results.md;
#                   needs what make fonts downloads
# make fonts        the font families that the shipped networks were trained with, into fonts/, and letters of other
#                   scripts and icons, into fonts-scripts/ (needs npm; 25 MB)
# make clean        remove what these made

PYTHON ?= python3
BIN := .venv/bin
LOWEST := .venv-lowest
QUIET := --quiet --disable-pip-version-check
PIP := $(BIN)/python -m pip install $(QUIET) --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt $(shell find src runtime train export cli -type f -not -path '*/__pycache__/*')
RUNTIME_TESTS := tests/runtime tests/cli/batch tests/cli/commands/test_predict.py tests/cli/commands/test_info.py \
  tests/cli/test_explain.py tests/cli/test_main.py tests/test_public.py tests/test_spec.py tests/test_golden.py

.PHONY: demo test test-lowest fuzz soak sbom reproducible docs install bench fonts scripts clean wheel

demo: .venv/runtime
	$(BIN)/digitocr predict examples/
	@echo "The same in a browser: open docs/demo.html"

test: .venv/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --package digitocr
	$(BIN)/pytest --numprocesses 2 --dist loadfile  # most tests wait for processes of their own

# Another Python: make test-lowest PYTHON=python3.13 LOWEST=.venv-3.13 PINS=constraints.txt
PINS ?= $(LOWEST)/constraints.txt
test-lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install $(QUIET) --constraint constraints.txt pip
	$(LOWEST)/bin/python .ci/lowest > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install $(QUIET) --constraint $(PINS) pytest hypothesis jsonschema matplotlib scipy ".[tflite,cluster,heif]"
	$(LOWEST)/bin/python -m pytest -q -o filterwarnings=default $(RUNTIME_TESTS)  # old libraries warn of new ones

SECONDS ?= 600
fuzz: .venv/all
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS)

KILLS ?= 10
soak: .venv/all
	$(BIN)/python tests/soak/run.py --kills $(KILLS)

sbom: .venv/all
	$(BIN)/python .ci/sbom all > dist/digitocr.cdx.json

reproducible: | $(BIN)/pip
	$(MAKE) wheel && sha256sum dist/*.whl > build/first.sha256
	$(MAKE) wheel && sha256sum --check build/first.sha256

docs: .venv/docs
	$(BIN)/mkdocs build --strict

install: .venv/all

bench: .venv/all
	for question in models profile reader lines touching dense_page cold training footprint folder; do $(BIN)/python benchmarks/$$question.py --save || exit 1; done

fonts: scripts
	mkdir -p fonts
	cd fonts && for family in $$(cat ../train/synthesis/fonts.txt); do \
	  pack=$$(npm pack --silent @fontsource/$$family) && \
	  tar xzf $$pack --strip-components=2 --wildcards 'package/files/*-latin-[47]00-normal.woff2' && rm $$pack || exit 1; \
	done

# A line of scripts.txt is a family and the parts of it that are kept.
scripts:
	mkdir -p fonts-scripts
	cd fonts-scripts && while read -r family parts; do \
	  pack=$$(npm pack --silent @fontsource/$$family < /dev/null) && for part in $$parts; do \
	    tar xzf $$pack --strip-components=2 --wildcards "package/files/$$family-$$part-[47]00-normal.woff2" || exit 1; \
	  done && rm $$pack || exit 1; \
	done < ../train/synthesis/scripts.txt

clean:
	rm -rf .venv $(LOWEST) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/pip:
	$(PYTHON) -m venv .venv

# The pip that comes with a Python may be older than --group, which is of pip 25.1.
.venv/pip: constraints.txt | $(BIN)/pip
	$(PIP) pip
	touch $@

# Each stamp is made anew when a source changes: the wheel is built, and the tests run what is in it.
.venv/runtime: $(SOURCES) | $(BIN)/pip
	$(MAKE) wheel
	$(PIP) dist/*.whl
	touch $@

.venv/docs: $(SOURCES) .venv/pip
	$(MAKE) wheel
	$(PIP) --group docs dist/*.whl
	touch $@

.venv/all: $(SOURCES) .venv/pip
	$(MAKE) wheel
	$(PIP) --group dev --group docs "$$(echo dist/*.whl)[all]"
	touch $@

# The same sources give the same bytes: files in the wheel have the time of the last commit.
wheel: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1700000000)
wheel:
	rm -rf dist build/lib build/bdist.*
	$(BIN)/pip wheel $(QUIET) --no-deps --wheel-dir dist .
	$(BIN)/pip uninstall --quiet --yes digitocr
