# make run    sets everything up and opens the window       make test   sets up the same and runs every check
# make setup  only sets up                                  make bench  measures speed, also against PyTorch and ONNX Runtime

PYTHON ?= python3
BIN := .venv/bin

# Compiled modules are kept, whatever the shell says: without them each start of a program compiles all sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test tests checks kernels setup bench screenshots clean

run: .venv/ready-run
	@$(BIN)/digitlab $(ARGS)

setup: .venv/ready-run

# The checks run beside the tests, in what these leave of the processor.
test: .venv/ready-test
	@$(MAKE) --no-print-directory -j2 checks tests

# One thread a product: two processes share the cores already.
tests: kernels
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal $(ARGS)

checks:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	nice $(BIN)/mypy
	nice $(BIN)/lint-imports

# Those of the engine, once a machine: the window compiles them while it is used, but tests would wait for them.
kernels:
	@$(BIN)/python -m nncore.backend.cpu.warm 2>/dev/null

bench: .venv/ready-bench
	@$(MAKE) --no-print-directory kernels
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: .venv/ready-test
	$(BIN)/python scripts/screenshots.py

.venv/ready-%: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" bash scripts/setup.sh $*
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info
