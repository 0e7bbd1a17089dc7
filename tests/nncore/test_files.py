"""Writing files so that nobody meets half of one, and what stays where that fails."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

import pytest

from nncore import files
from nncore.errors import DigitLabError
from nncore.files import ABANDONED, TEMPORARY, clear_leftovers, printable, size_text, write_atomically


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a file's name, but none of its bytes."""

    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", refuse)


def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(folder: Path, full_disk: None) -> None:
    path = folder / "kept"
    path.write_bytes(b"before")
    with pytest.raises(DigitLabError, match="No space left on device"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before" and list(folder.iterdir()) == [path]


def test_an_interruption_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(folder / "new", b"content")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 250, "x" * 5000, "a\0b"])
def test_names_that_no_file_can_have_are_one_short_sentence(folder: Path, name: str) -> None:
    if len(name) == 250:
        write_atomically(folder / name, b"long, but a name")
        assert (folder / name).read_bytes() == b"long, but a name"
        return
    with pytest.raises(DigitLabError) as caught:
        write_atomically(folder / name, b"content")
    assert len(str(caught.value)) < 400 and str(caught.value).isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "target").write_bytes(b"before")
    (folder / "link").symlink_to("target")
    write_atomically(folder / "link", b"after")
    assert (folder / "link").is_symlink() and (folder / "target").read_bytes() == b"after"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_written_into_and_not_replaced(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"answers")
        assert os.read(reader, 100) == b"answers" and pipe.is_fifo()
    finally:
        os.close(reader)


def test_old_leftovers_of_ours_are_cleared_and_nothing_else(folder: Path) -> None:
    long_ago = time.time() - 2 * ABANDONED
    for name in (TEMPORARY + "old", TEMPORARY + "new", ".other-old", "weights"):
        (folder / name).write_bytes(b"")
    unfinished = folder / (TEMPORARY + "import")
    unfinished.mkdir()
    (unfinished / "half").write_bytes(b"")
    for path in (folder / (TEMPORARY + "old"), folder / ".other-old", unfinished):
        os.utime(path, (long_ago, long_ago))
    clear_leftovers(folder)
    assert {path.name for path in folder.iterdir()} == {TEMPORARY + "new", ".other-old", "weights"}
    clear_leftovers(folder / "not there")


def test_control_characters_are_not_printed() -> None:
    assert printable("a\x1b[31mb\nc\u202ed") == "a?[31mb?c?d"


def test_sizes_in_units_that_people_read() -> None:
    assert [size_text(size) for size in (0, 999, 1000, 999_000, 1e6, 1.394e9)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "999 kB",
        "1 MB",
        "1,394 MB",
    ]
