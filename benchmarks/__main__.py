"""`python -m benchmarks [data|torch [options]]`: both, or one of them with its options; see data.py and vs_torch.py."""

import sys

from benchmarks import data, vs_torch

PARTS = {"data": data.main, "torch": vs_torch.main}

chosen, arguments = sys.argv[1:2], sys.argv[2:]
if chosen and chosen[0] not in PARTS:
    raise SystemExit(f"There is no benchmark {chosen[0]!r}; there are {', '.join(PARTS)}.")
raise SystemExit(max(PARTS[name](arguments) for name in chosen or PARTS))
