"""`make bench ARGS=wild`: what it counts as right."""

from __future__ import annotations

from pathlib import Path

from benchmarks.wild import Picture, by_source, listed


def test_pictures_count_by_source_and_every_line_must_be_right(tmp_path: Path) -> None:
    rows = ["path,label,source_repo,kind", "a.png,12/3,one,photo", "b.png,4,one,photo", "c.png,5,two,scan"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    pictures = listed(tmp_path)
    assert pictures[0] == Picture(tmp_path / "a.png", "12/3", "one")
    assert by_source(pictures, ["123", "4", "5"]) == {"one": (1, 2), "two": (1, 1)}
    assert listed(tmp_path / "nowhere") == []
