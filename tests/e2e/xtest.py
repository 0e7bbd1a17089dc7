"""A mouse for X servers: the XTEST extension by ctypes, so that no program but Xvfb need be installed."""

from __future__ import annotations

import ctypes
import ctypes.util
from types import TracebackType


class Pointer:
    """Sends pointer events to a display. Raises OSError where the X client libraries are missing."""

    def __init__(self, display: str) -> None:
        x11, xtst = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if not x11 or not xtst:
            raise OSError("libX11 or libXtst is not installed")
        self._x, self._test = ctypes.CDLL(x11), ctypes.CDLL(xtst)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(display.encode()))

    def send(self, kind: str, x: int, y: int) -> None:
        """`move` to (x, y), or go there and `press` or `release` the left button."""
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, ctypes.c_ulong(0))
        if kind != "move":
            self._test.XTestFakeButtonEvent(self._display, 1, int(kind == "press"), ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def __enter__(self) -> Pointer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._x.XCloseDisplay(self._display)
