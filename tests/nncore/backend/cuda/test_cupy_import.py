"""Where CuPy keeps its compiled kernels: seen by a module called cupy that tells what it finds while it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def folder_of_kernels(modules: Path, **environment: str) -> str:
    """What CUPY_CACHE_DIR says when CuPy is imported, in a process of its own."""
    (modules / "cupy.py").write_text("import os; print(os.environ.get('CUPY_CACHE_DIR'))")
    paths = os.pathsep.join((str(modules), *filter(None, sys.path)))
    done = subprocess.run(
        [sys.executable, "-c", "from nncore.backend.cuda.cupy_import import import_cupy; assert import_cupy().__name__ == 'cupy'"],
        env={**{key: value for key, value in os.environ.items() if key != "CUPY_CACHE_DIR"}, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_compiled_kernels_are_kept_in_the_programs_cache(tmp_path: Path) -> None:
    found = Path(folder_of_kernels(tmp_path, XDG_CACHE_HOME=str(tmp_path), HOME=str(tmp_path)))
    assert found.is_relative_to(tmp_path)
    assert found.parts[-2:] == ("digitlab", "cupy")
    assert found.is_dir()


def test_the_users_own_choice_stays(tmp_path: Path) -> None:
    assert folder_of_kernels(tmp_path, CUPY_CACHE_DIR="elsewhere") == "elsewhere"


def test_where_the_cache_takes_no_files_this_process_has_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = folder_of_kernels(tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert Path(found).parent == tmp_path
    assert not Path(found).exists()  # cleared away at the end
