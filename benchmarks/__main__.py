"""`python -m benchmarks`: see vs_torch.py."""

from benchmarks.vs_torch import main

raise SystemExit(main())
