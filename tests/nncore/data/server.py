"""A server of files on this machine that behaves as badly as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath

MANNERS = (
    "good", "no-range", "breaks", "breaks-no-range", "breaks-at-once", "wrong", "wrong-size", "endless", "short",
    "hangs", "hangs-midway", "missing", "moved", "packed", "trickles",
)  # fmt: skip


class Server(ThreadingHTTPServer):
    """Offers `files` at /<manner>/<name>; `asked` records manner, name and the Range header of each request."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.asked: list[tuple[str, str, str]] = []
        self.closing = threading.Event()

    def mirror(self, manner: str) -> str:
        """The address of a mirror of these manners."""
        assert manner in MANNERS
        return f"http://127.0.0.1:{self.server_port}/{manner}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are nothing to speak of."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        _, manner, name = PurePosixPath(self.path).parts
        span = self.headers.get("Range", "")
        self.server.asked.append((manner, name, span))
        content = self.server.files[name]
        start = int(span.removeprefix("bytes=").rstrip("-") or 0) if "no-range" not in manner else 0
        if manner == "missing":
            return self.send_error(404)
        if manner == "moved":
            self.send_response(302)
            self.send_header("Location", f"/good/{name}")
            return self.end_headers()
        if manner == "hangs":
            return self._wait()
        if manner == "breaks-at-once":
            return None
        body = {"wrong": bytes(len(content)), "wrong-size": content + b"more"}.get(manner, content)[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if manner == "packed":
            self.send_header("Content-Encoding", "gzip")
        if manner == "endless":
            self.end_headers()
            while not self.server.closing.is_set():
                self.wfile.write(bytes(65536))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if manner == "trickles":
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                if self.server.closing.wait(0.05):
                    break
        elif manner == "short":  # promises all, sends all but a byte, as if that were all
            self.wfile.write(body[:-1])
        elif manner.startswith(("breaks", "hangs")):
            self.wfile.write(body[: max(1, len(content) // 3)])
            if manner == "hangs-midway":
                self.wfile.flush()
                self._wait()
        else:
            self.wfile.write(body)
        return None

    def _wait(self) -> None:
        self.server.closing.wait(30)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """A server of these files, until the end of the block."""
    server = Server(files)
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
