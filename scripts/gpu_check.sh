#!/usr/bin/env bash
# Everything that only an NVIDIA GPU can show, in one command and without a network:
#
#     PYTHON=python3 scripts/gpu_check.sh [options of `python -m benchmarks gpu`]
#
# CuPy, NumPy, Numba, SciPy and PyTorch may be those that the Python has already. Each part is run whatever became of the others;
# the last line counts those that failed, and so does the exit status.
set -uo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
failed=0

say() { printf '\n== %s\n' "$*"; }

# Runs a part, with its name first. Status 5 is pytest's word for "there is no such test".
part() {
    say "$1"
    shift
    local status=0
    "$@" || status=$?
    if [ "$status" = 5 ]; then
        echo "(no tests are chosen by this)"
    elif [ "$status" != 0 ]; then
        echo "FAILED with status $status: $*"
        failed=$((failed + 1))
    fi
}

"$PYTHON" - <<'END' || exit 2
import importlib.util
import sys

if sys.version_info < (3, 11):
    sys.exit(f"DigitLab needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}; name another with PYTHON=….")
NEEDED = {
    "cupy": "cupy-cuda12x (or cupy-cuda13x)", "numba": "numba", "numpy": "numpy", "scipy": "scipy", "pytest": "pytest",
    "threadpoolctl": "threadpoolctl", "PIL": "pillow", "safetensors": "safetensors", "platformdirs": "platformdirs",
    "pooch": "pooch", "requests": "requests", "filelock": "filelock", "rich": "rich", "hypothesis": "hypothesis",
}
missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
if missing:
    sys.exit(f"{sys.executable} lacks {', '.join(missing)}; install them, or name another Python with PYTHON=….")
END

"$PYTHON" - <<'END' || exit 2
import sys

try:
    from nncore.backend.cuda.cupy_device import CupyDevice

    print(CupyDevice().describe(), CupyDevice().architecture)
except Exception as error:
    sys.exit(f"There is no GPU that can be used: {error}")
END

# The project's own settings of pytest want plugins for the window's tests, which need not be here.
pytest=("$PYTHON" -m pytest -c scripts/gpu_pytest.ini --rootdir . -p no:cacheprovider -m gpu tests/nncore)

part "the machine" nvidia-smi
part "CuPy" "$PYTHON" -c "import cupy; cupy.show_config()"
part "tests on the GPU" "${pytest[@]}"
part "with 200 MB of memory" env CUPY_GPU_MEMORY_LIMIT=200000000 "${pytest[@]}" -k memory
part "with another default stream, on which nothing may depend" \
    env CUPY_CUDA_PER_THREAD_DEFAULT_STREAM=1 "${pytest[@]}" -k "stretch or operations"
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
        part "compute-sanitizer, $tool" \
            compute-sanitizer --tool "$tool" --error-exitcode 1 --target-processes all "${pytest[@]}" -x -k operations
    done
else
    say "compute-sanitizer is not here: it comes with the CUDA toolkit"
fi
part "figures" "$PYTHON" -m benchmarks gpu "$@"

say "$failed parts failed"
exit $((failed > 0))
