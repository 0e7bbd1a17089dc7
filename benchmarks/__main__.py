"""`python -m benchmarks [data|torch|window [options]]`: all, or one with its options; see data.py, vs_torch.py, window.py."""

import sys

from benchmarks import data, vs_torch, window

PARTS = {"data": data.main, "torch": vs_torch.main, "window": window.main}

chosen, arguments = sys.argv[1:2], sys.argv[2:]
if chosen and chosen[0] not in PARTS:
    raise SystemExit(f"There is no benchmark {chosen[0]!r}; there are {', '.join(PARTS)}.")
raise SystemExit(max(PARTS[name](arguments) for name in chosen or PARTS))
