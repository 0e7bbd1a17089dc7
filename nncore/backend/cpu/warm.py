"""`python -m nncore.backend.cpu.warm` compiles every kernel into the user's cache folder, so that no later run waits for one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from nncore.backend.cpu.cache import is_complete, note_complete

_one_at_a_time = threading.Lock()


def compile_all(report: Callable[[str, int, int], None] | None = None) -> float:
    """Compile what is not in the cache yet; the seconds it took. `report` is told each kernel's name, number and how many."""
    start = time.perf_counter()
    from nncore.backend.cpu import answering, execute, warp  # here, because they import Numba
    from nncore.backend.cpu.operations import OPERATIONS

    assert all(map(callable, (execute.run, answering.FewAnswers, warp.vary_quickly)))  # importing them has compiled them
    for number, (name, value) in enumerate(OPERATIONS.items(), 1):
        if report:
            report(name, number, len(OPERATIONS))
        _ = value.address
    note_complete()
    return time.perf_counter() - start


def compile_apart(give_up: Callable[[], bool] = lambda: False) -> bool:
    """Have every kernel compiled by a process of its own, and wait for it; at once where that has been done. Whether it is.

    Compiling holds the interpreter for tenths of a second at a time: in a program with a window it must happen elsewhere.
    `give_up` is asked twenty times a second; the process then goes on by itself.
    """
    while not _one_at_a_time.acquire(timeout=0.05):
        if give_up():
            return False
    try:
        if is_complete():
            return True
        nothing = subprocess.DEVNULL
        command = [sys.executable, "-m", "nncore.backend.cpu.warm"]
        process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)
        while process.poll() is None and not give_up():
            time.sleep(0.05)
        return process.returncode == 0
    finally:
        _one_at_a_time.release()


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(5)  # nobody may be kept from working
    seconds = compile_all(lambda name, number, count: print(f"Compiling {number} of {count}: {name}", file=sys.stderr))
    print(f"Every kernel is compiled and cached ({seconds:.1f} s).")


if __name__ == "__main__":
    main()
