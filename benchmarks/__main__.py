"""`python -m benchmarks [PART [options]]`: one of PARTS below, each a file of this folder, or all that need no GPU."""

import sys
from importlib import import_module

PARTS = {
    "data": "benchmarks.data",
    "torch": "benchmarks.vs_torch",
    "shortest": "benchmarks.shortest",
    "onnx": "benchmarks.vs_onnx",
    "window": "benchmarks.window",
    "drawing": "benchmarks.drawing",
    "beside": "benchmarks.beside",
    "gaps": "benchmarks.gaps",
    "live": "benchmarks.live",
    "slider": "benchmarks.slider",
    "strokes": "benchmarks.strokes",
    "wild": "benchmarks.wild",
    "teach": "benchmarks.teach",
    "doubt": "benchmarks.doubt",
    "explain": "benchmarks.explain",
    "launches": "benchmarks.launches",
    "gpu": "benchmarks.gpu.race",
}
EVERYWHERE = tuple(name for name in PARTS if name not in ("launches", "gpu"))
"""What a machine without a GPU can measure."""

chosen, arguments = sys.argv[1:2], sys.argv[2:]
if chosen and chosen[0] not in PARTS:
    raise SystemExit(f"There is no benchmark {chosen[0]!r}; there are {', '.join(PARTS)}.")
raise SystemExit(max(import_module(PARTS[name]).main(arguments) for name in chosen or EVERYWHERE))
