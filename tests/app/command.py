"""`digitlab` as tests run it: in this process, which has imported and compiled all already, or as a program of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from typing import TextIO
from unittest.mock import patch

import numpy as np

from app.cli import main
from nncore.data import synthetic
from nncore.paths import data_folder


def digitlab(*arguments: object, encoding: str = "utf-8", out: TextIO | None = None, **environment: str) -> CompletedProcess[str]:
    """Call the command line in this process; what it printed in this encoding (or into `out`), and its exit status.

    For all that a process of its own proves nothing more of. `program` is for signals, for streams and for how it ends.
    """
    words, root = list(map(str, arguments)), logging.getLogger()
    printed, said = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
    with (
        patch.object(root, "handlers", []),  # pytest's own would keep messages from standard error
        patch.object(logging, "raiseExceptions", True),
        patch.dict(os.environ, environment),
        redirect_stdout(printed if out is None else out),
        redirect_stderr(said),
    ):
        status = main(words)
    return CompletedProcess(words, status, _text(printed), _text(said))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(stream.encoding)


def program(*arguments: object, encoding: str = "utf-8", **environment: str) -> CompletedProcess[str]:
    """Run the command line as a program of its own, which is told to print in this encoding."""
    command = [sys.executable, "-m", "app", *map(str, arguments)]
    told = os.environ | {"PYTHONIOENCODING": encoding} | environment
    return subprocess.run(command, capture_output=True, encoding=encoding, timeout=100, env=told, check=False)


def few_digits() -> str:
    """Put 600 digits into the data folder; their name. A program is a second sooner there with them than with `synthetic`."""
    data = synthetic("train", 600)
    data_folder().mkdir(exist_ok=True)
    np.savez(data_folder() / "few.npz", x_train=data.images, y_train=data.labels)
    return "few"


def lines(done: CompletedProcess[str]) -> list[dict]:
    """The JSON lines that were printed by a command that had nothing to complain of."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
