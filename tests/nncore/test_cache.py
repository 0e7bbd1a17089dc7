"""Where compiled kernels are kept when the usual folder takes nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nncore.backend.cpu import cache


@pytest.fixture
def without_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder that cannot be made, since a file is in its way; returns the folder of temporary files."""
    (tmp_path / "in the way").write_text("a file")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "in the way"))
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "in the way" / "digitlab")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    cache.kernel_folder.cache_clear()
    yield temporary
    cache.kernel_folder.cache_clear()


def test_a_temporary_folder_stands_in_for_a_cache_that_takes_nothing(without_cache_folder: Path) -> None:
    found = cache.kernel_folder()
    assert found.is_dir() and found.is_relative_to(without_cache_folder)
    cache.note_complete()
    cache.kernel_folder.cache_clear()
    assert cache.kernel_folder() == found and cache.is_complete(), "the next process finds the kernels there"


@pytest.mark.skipif(sys.platform == "win32", reason="there each user has a temporary folder that others cannot write to")
def test_a_temporary_folder_that_others_may_write_to_is_not_trusted(without_cache_folder: Path) -> None:
    shared = cache.kernel_folder().parent
    shared.chmod(0o777)
    cache.kernel_folder.cache_clear()
    found = cache.kernel_folder()
    assert not found.is_relative_to(shared) and found.is_relative_to(without_cache_folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no variable leads to the cache folder there")
def test_numba_writes_nothing_beside_the_sources(without_cache_folder: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "one.py").write_text(
        "from nncore.backend.cpu.compiling import entry\n\n\n@entry('int64(int64)')\ndef one_more(x):\n    return x + 1\n\n\n"
        "assert one_more(1) == 2\n"
        "import sys\nassert 'scipy.linalg' not in sys.modules, 'half a second for nothing'\n"
    )
    code = f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(sources)!r}); import one"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert [path.name for path in sources.iterdir()] == ["one.py"]
    assert list(without_cache_folder.rglob("*.nbc"))
