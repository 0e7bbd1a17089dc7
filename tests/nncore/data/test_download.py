"""Downloads from a server on this machine that breaks off, lies, sends something else, and hangs."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nncore.data import download as download_module
from nncore.data.download import Download, download, part_of, received
from nncore.data.sources import SOURCES, RemoteFile, Source
from nncore.errors import DataError
from tests.nncore.data.server import Server, serving

CONTENT = {
    "images.gz": np.random.default_rng(1).integers(0, 256, 400_000, np.uint8).tobytes(),
    "labels.gz": np.random.default_rng(2).integers(0, 256, 3_000, np.uint8).tobytes(),
}
FILES = tuple(RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items())
PATIENCE = 0.6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "digits"


def source(server: Server, *manners: str) -> Source:
    return Source("digits", "Digits", "digits", FILES, {}, tuple(server.mirror(manner) for manner in manners))


def get(source: Source, folder: Path, **options: bool) -> list[Download]:
    return list(download(source, folder, patience=PATIENCE, **options))


def assert_complete(folder: Path) -> None:
    """Both files, right, and nothing else: no part, no temporary file, no lock."""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT


@pytest.mark.parametrize("manner", ["good", "no-range", "moved", "packed"])
def test_the_files_come_and_are_right(server: Server, folder: Path, manner: str) -> None:
    events = get(source(server, manner), folder)
    assert_complete(folder)
    counts = [event.received for event in events]
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == events[-1].total == 403_000
    assert {event.file for event in events} == set(CONTENT)


def test_what_is_here_already_is_not_asked_for(server: Server, folder: Path) -> None:
    get(source(server, "good"), folder)
    asked = len(server.asked)
    assert [event.received for event in get(source(server, "good"), folder)] == [403_000]
    assert len(server.asked) == asked


def test_a_broken_transfer_goes_on_where_it_broke(server: Server, folder: Path) -> None:
    get(source(server, "breaks"), folder)
    assert_complete(folder)
    spans = [span for _, name, span in server.asked if name == "images.gz"]
    assert spans[0] == "" and spans[1] == "bytes=133333-" and len(spans) == 4


def test_a_transfer_that_hangs_in_the_middle_is_taken_up_again(server: Server, folder: Path) -> None:
    get(source(server, "hangs-midway"), folder)
    assert_complete(folder)


def test_left_in_the_middle_it_goes_on_the_next_time(server: Server, folder: Path) -> None:
    going = download(source(server, "good"), folder, patience=PATIENCE)
    for event in going:
        if event.received >= 130_000:
            break
    going.close()
    kept = part_of(folder, FILES[0]).stat().st_size
    assert 130_000 <= kept < 400_000 and received(source(server, "good"), folder) == kept
    assert not (folder / "images.gz").exists()
    get(source(server, "good"), folder)
    assert_complete(folder)
    assert ("good", "images.gz", f"bytes={kept}-") in server.asked


def test_a_server_that_cannot_go_on_is_read_from_the_beginning(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    part_of(folder, FILES[0]).write_bytes(CONTENT["images.gz"][:200_000])
    get(source(server, "no-range"), folder)
    assert_complete(folder)


@pytest.mark.parametrize("part", [b"something else", b"x" * 400_000, b"x" * 500_000])
def test_a_wrong_beginning_from_an_earlier_time_is_thrown_away(server: Server, folder: Path, part: bytes) -> None:
    folder.mkdir(parents=True)
    part_of(folder, FILES[0]).write_bytes(part)
    get(source(server, "good"), folder)
    assert_complete(folder)


@pytest.mark.parametrize(
    ("manner", "says"),
    [
        ("missing", "it answered 404"),
        ("wrong", "not the published one"),
        ("wrong-size", "offers 400,004 bytes where the published file has 400,000"),
        ("endless", "sends more than|not the published one"),
        ("short", "stopped before the end"),
        ("hangs", "sent nothing for 0.6 seconds"),
        ("trickles", "sent nothing for 0.6 seconds"),
        ("breaks-at-once", "stopped before the end"),
        ("breaks-no-range", "stopped before the end"),
    ],
)
def test_a_bad_server_is_named_and_the_next_one_takes_over(server: Server, folder: Path, manner: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as told:
        get(source(server, manner), folder)
    assert "\n" not in str(told.value) and re.search(r"127\.0\.0\.1:\d+: ", str(told.value))
    assert not [path for path in folder.iterdir() if not path.name.startswith(".")]
    get(source(server, manner, "good"), folder)
    assert_complete(folder)


def test_offline_it_says_where_to_put_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(DataError) as told:
        get(SOURCES["mnist"], folder)
    said = str(told.value)
    assert "its address could not be found" in said and "\n" not in said
    assert f"put them into {folder}" in said and all(file.name in said for file in SOURCES["mnist"].files)


def test_a_refused_connection_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        mirror = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(DataError, match="it refused the connection"):
            get(Source("digits", "Digits", "digits", FILES, {}, (mirror,)), folder)


def test_too_little_room_is_told_before_anything_is_asked_for(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=17_000_000))
    with pytest.raises(DataError, match=r"needs 403 kB more in .* only 17 MB are free") as told:
        get(source(server, "good"), folder)
    assert not server.asked and "DIGITLAB_DATA" in str(told.value)


def test_a_disk_that_fills_up_is_told_and_what_came_is_kept(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    part_of(folder, FILES[0]).symlink_to("/dev/full")
    with pytest.raises(DataError, match="The disk is full"):
        get(source(server, "good"), folder)


def test_a_folder_that_cannot_be_made_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written to"):
        get(source(server, "good"), tmp_path / "file" / "digits")


def test_another_file_of_the_name_is_not_replaced_unasked(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "images.gz").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"images.gz in .* is not what Digits publishes"):
        get(source(server, "good"), folder)
    with pytest.raises(DataError):
        get(source(server, "missing"), folder, replace=True)
    assert (folder / "images.gz").read_bytes() == b"mine", "nothing is lost where the new file does not come"
    get(source(server, "good"), folder, replace=True)
    assert_complete(folder)


def test_an_unpacked_file_that_would_be_read_instead_goes_with_the_others(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "labels").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"labels in .* is not what Digits publishes"):
        get(source(server, "good"), folder)
    get(source(server, "good"), folder, replace=True)
    assert_complete(folder)
    (folder / "images").write_bytes(b"beside the right one")
    with pytest.raises(DataError, match=r"images in .* is not what Digits publishes"):
        get(source(server, "good"), folder)
    get(source(server, "good"), folder, replace=True)
    assert_complete(folder)


def test_speed_and_the_time_left() -> None:
    event = Download("images.gz", "here", 250, 1000, 50.0)
    assert event.seconds_left == 15 and replace(event, speed=0.0).seconds_left is None


def test_the_published_files_are_the_ones_that_are_here(real_mnist: Path) -> None:
    """Sizes and sums of those of MNIST's files that the test machine has as published, and of no wrong length at all."""
    found = 0
    for file in SOURCES["mnist"].files:
        path = real_mnist / "mnist" / file.name
        if path.is_file() and path.stat().st_size == file.size:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
            found += 1
    for source in SOURCES.values():
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in source.files)
        assert all(mirror.endswith("/") for mirror in source.mirrors)
    assert found


def test_a_second_download_into_the_folder_waits_for_the_first(server: Server, folder: Path) -> None:
    first = download(source(server, "good"), folder, patience=PATIENCE)
    next(first)
    with pytest.raises(DataError, match="Another window or command is downloading"):
        get(source(server, "good"), folder)
    list(first)
    assert_complete(folder)
    assert get(source(server, "good"), folder)[-1].received == sum(map(len, CONTENT.values()))


def test_a_download_that_was_left_locks_nobody_out(server: Server, folder: Path) -> None:
    first = download(source(server, "good"), folder, patience=PATIENCE)
    next(first)
    first.close()
    get(source(server, "good"), folder)
    assert_complete(folder)
