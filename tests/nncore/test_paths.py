"""Where things lie on the user's machine."""

from __future__ import annotations

import sys

import pytest

from nncore.paths import data_folder, user_folder


def test_the_data_folder_is_the_one_that_is_named(isolated, monkeypatch, tmp_path):
    assert data_folder() == user_folder() == isolated
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "not" / "there" / "yet"))
    assert user_folder() == tmp_path / "not" / "there" / "yet"


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders mean nothing there")
def test_nothing_is_written_into_a_read_only_collection_even_by_root(isolated):
    isolated.chmod(0o555)
    try:
        assert data_folder() == isolated and user_folder() != isolated and not user_folder().is_relative_to(isolated)
    finally:
        isolated.chmod(0o755)
