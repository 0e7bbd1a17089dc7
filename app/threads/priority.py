"""How threads share the processor and the interpreter with the interface."""

from __future__ import annotations

import os
import sys
import threading


def stand_back() -> None:
    """Let this thread, and those that it will start, give way to the interface when cores are short (on Linux, where one can)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 2)


def keep_interface_lively() -> None:
    """Let threads hand the interpreter over after 1 ms instead of 5, so that a busy worker never delays a stroke by a frame."""
    sys.setswitchinterval(0.001)
