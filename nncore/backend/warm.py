"""`python -m nncore.backend.warm` compiles every kernel into the user's cache folder, so that no later run has to wait for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def compile_all(report: Callable[[str, int, int], None] | None = None) -> float:
    """Compile what is not in the cache yet; the seconds it took. `report` is told each kernel's name, number and how many."""
    start = time.perf_counter()
    from nncore.backend import machine, operations  # here, because they import Numba
    from nncore.backend.compiling import operation

    assert callable(machine.run)  # importing it has compiled it
    found = {name: value for name, value in vars(operations).items() if isinstance(value, operation)}
    for number, (name, value) in enumerate(found.items(), 1):
        if report:
            report(name, number, len(found))
        _ = value.address
    return time.perf_counter() - start


def main() -> None:
    seconds = compile_all(lambda name, number, count: print(f"Compiling {number} of {count}: {name}", file=sys.stderr))
    print(f"Every kernel is compiled and cached ({seconds:.1f} s).")


if __name__ == "__main__":
    main()
