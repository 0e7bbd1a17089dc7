"""A mouse and a keyboard for X servers: the XTEST extension by ctypes, so that no program but Xvfb need be installed."""

from __future__ import annotations

import ctypes
import ctypes.util
from types import TracebackType


class Pointer:
    """Sends events of a pointer and a keyboard to a display. OSError where there is no such display, or no X client library."""

    def __init__(self, display: str) -> None:
        x11, xtst = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if not x11 or not xtst:
            raise OSError("libX11 or libXtst is not installed")
        self._x, self._test = ctypes.CDLL(x11), ctypes.CDLL(xtst)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XStringToKeysym.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(display.encode()))
        if not self._display:
            raise OSError(f"there is no display {display}")

    def send(self, kind: str, x: int, y: int) -> None:
        """`move` to (x, y), or go there and `press` or `release` the left button."""
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, ctypes.c_ulong(0))
        if kind != "move":
            self._test.XTestFakeButtonEvent(self._display, 1, int(kind == "press"), ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def press(self, *names: str) -> None:
        """Press keys together and let them go, each by X's name for it: `press("Control_L", "z")`."""
        codes = [self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(self._x.XStringToKeysym(name.encode()))) for name in names]
        for code, down in [*((code, 1) for code in codes), *((code, 0) for code in reversed(codes))]:
            self._test.XTestFakeKeyEvent(self._display, code, down, ctypes.c_ulong(0))
        self._x.XFlush(self._display)

    def __enter__(self) -> Pointer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._x.XCloseDisplay(self._display)
