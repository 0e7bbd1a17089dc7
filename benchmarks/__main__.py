"""`python -m benchmarks [data|torch|window|drawing|beside|gaps|slider|wild|doubt|launches|gpu [options]]`: the first nine, or one.

See data.py, vs_torch.py, window.py, drawing.py, beside.py, gaps.py, slider.py, wild.py, doubt.py, launches.py and gpu/race.py.
"""

import sys
from importlib import import_module

PARTS = {
    "data": "benchmarks.data",
    "torch": "benchmarks.vs_torch",
    "window": "benchmarks.window",
    "drawing": "benchmarks.drawing",
    "beside": "benchmarks.beside",
    "gaps": "benchmarks.gaps",
    "slider": "benchmarks.slider",
    "wild": "benchmarks.wild",
    "doubt": "benchmarks.doubt",
    "launches": "benchmarks.launches",
    "gpu": "benchmarks.gpu.race",
}
EVERYWHERE = ("data", "torch", "window", "drawing", "beside", "gaps", "slider", "wild", "doubt")
"""What a machine without a GPU can measure."""

chosen, arguments = sys.argv[1:2], sys.argv[2:]
if chosen and chosen[0] not in PARTS:
    raise SystemExit(f"There is no benchmark {chosen[0]!r}; there are {', '.join(PARTS)}.")
raise SystemExit(max(import_module(PARTS[name]).main(arguments) for name in chosen or EVERYWHERE))
