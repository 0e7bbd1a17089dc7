"""One transfer over HTTP: a file's bytes from a place on, chunk by chunk, and in words why they do not come."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

CHUNK = 64 * 1024
AHEAD = 16
"""Chunks that may lie between the thread that reads and the one that writes."""
TRICKLE = 1000
"""Fewer bytes than this count as nothing: a server that sends one now and then would be waited for all day."""
TICK = 0.1
"""Seconds between two of the empty chunks that say "still waiting"."""


class TransferError(Exception):
    """Why nothing (more) comes from a server: a clause that its name can stand before."""


def chunks(address: str, start: int, size: int, patience: float) -> Iterator[bytes | None]:
    """The bytes of a file of `size` bytes from `start` on; b"" again and again while waiting, None where it begins anew.

    A server that cannot begin in the middle sends the whole file: None comes first then, and all of the file after it.
    Raises TransferError where the server cannot be reached, has no such file or one of another size, stops in the middle, or
    says nothing for `patience` seconds. Leave the iteration at any time to break off.
    """
    # Names are looked up, and connections made and read, in a thread of its own: no call to the system can be trusted to
    # return in time, and whoever waits here wants to hear of that, or to leave.
    items: queue.Queue[bytes | TransferError | None] = queue.Queue(AHEAD)
    left = threading.Event()
    reader = threading.Thread(target=_read, args=(address, start, size, patience, items, left), daemon=True)
    reader.start()
    received, deadline, due = start, time.monotonic() + patience, start + TRICKLE
    try:
        while received < size:
            if time.monotonic() > deadline:
                raise TransferError(f"it sent nothing for {patience:g} seconds")
            try:
                item = items.get(timeout=TICK)
            except queue.Empty:
                yield b""
                continue
            if isinstance(item, TransferError):
                raise item
            received = 0 if item is None else received + len(item)
            if item is None or received >= due:
                deadline, due = time.monotonic() + patience, received + TRICKLE
            if received > size:
                raise TransferError("it sends more than the published file holds")
            yield item
    finally:
        left.set()


def _read(address: str, start: int, size: int, patience: float, items: queue.Queue[Any], left: threading.Event) -> None:
    """Put the file's chunks, or why there are none, into the queue until all has come or the other end has left."""
    import requests  # takes a tenth of a second, and hardly anybody downloads anything
    import urllib3

    def put(item: bytes | TransferError | None) -> None:
        while not left.is_set():
            try:
                return items.put(item, timeout=TICK)
            except queue.Full:
                pass
        raise InterruptedError

    # The file as it lies there: what is gzip must stay so, or neither its size nor its sum would be right.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with requests.get(address, headers=headers, stream=True, timeout=patience) as response:
            if start and not _goes_on(response, start):
                put(None)
            _check(response, start, size)
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                put(chunk)
        put(TransferError("it stopped before the end of the file"))
    except InterruptedError:
        pass
    except (OSError, ValueError, requests.RequestException, urllib3.exceptions.HTTPError, TransferError) as error:
        with suppress(InterruptedError):
            put(error if isinstance(error, TransferError) else TransferError(_reason(error, patience)))


def _goes_on(response: Any, start: int) -> bool:
    """Whether the answer begins at `start`, as was asked for."""
    return response.status_code == HTTPStatus.PARTIAL_CONTENT and response.headers.get("Content-Range", "").startswith(
        f"bytes {start}-"
    )


def _check(response: Any, start: int, size: int) -> None:
    """Raise TransferError for an answer that is not the file, before any of it is read."""
    if response.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise TransferError(f"it answered {response.status_code} ({response.reason})")
    length = response.headers.get("Content-Length", "")
    expected = size - start if _goes_on(response, start) else size
    if length.isdecimal() and int(length) != expected:
        raise TransferError(f"it offers {int(length):,} bytes where the published file has {expected:,}")


def _reason(error: BaseException, patience: float) -> str:
    """In words what the network said, found among the causes that the libraries wrap it in."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and cause not in causes:
        causes.append(cause)
    names = " ".join(type(cause).__name__ for cause in causes)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its address could not be found"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "it refused the connection"
    if "Timeout" in names or any(isinstance(cause, TimeoutError) for cause in causes):
        return f"it sent nothing for {patience:g} seconds"
    if "SSL" in names:
        return "its certificate cannot be trusted"
    if "Proxy" in names:
        return "the proxy on the way to it did not answer"
    if "IncompleteRead" in names or isinstance(causes[-1], ConnectionError):
        return "it stopped before the end of the file"
    return "it cannot be reached"
