"""Many pictures at once: a folder in, a table out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from app.core.batch import Batch, Item, as_csv, find_pictures
from app.core.in_view import NetworkInView
from app.core.timeline import Moment
from app.panels.recognise.batch import BatchPage
from app.widgets.batch_table import LEAST_SURE, NAME, TEXT, TIME, BatchRow, BatchTable
from benchmarks.drawn_pages import page
from models.shipped import DEFAULT_PICTURE_NETWORK, digit_detector, open_weights, picture_classifier
from nncore.errors import DataError
from nncore.prediction import Predictor
from tests.app.command import digitlab

READ = {"page 2.png": "1234 / 567", "page 10.png": "905", "sub/one.png": "3"}
"""The pictures of a folder, in order, and what is in them."""
DAMAGED = "page 11.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pages, one of them damaged, with a folder in it and things that are no pictures."""
    made = tmp_path / "scans"
    (made / "sub").mkdir(parents=True)
    for seed, (name, text) in enumerate(READ.items()):
        Image.fromarray(page(text.split(" / "), seed=seed).picture.squeeze()).save(made / name)
    (made / DAMAGED).write_bytes((made / "page 10.png").read_bytes()[:80])
    (made / "notes.txt").write_text("no picture")
    (made / ".hidden.png").write_bytes(b"")
    return made


def test_pictures_are_found_in_the_order_in_which_people_count(folder):
    names = [path.relative_to(folder).as_posix() for path in find_pictures([folder])]
    assert names == ["page 2.png", "page 10.png", "page 11.png", "sub/one.png"]
    assert find_pictures([folder / "notes.txt"]) == (folder / "notes.txt",), "a file that is named is taken as it is"
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=r"no pictures in .*empty"):
        find_pictures([folder / "empty"])


def test_a_batch_goes_on_after_a_damaged_picture_and_becomes_a_table(folder):
    predictor = Predictor(open_weights(DEFAULT_PICTURE_NETWORK)[0])
    batch = Batch(find_pictures([folder]), predictor, picture_classifier(), digit_detector())
    assert list(batch.run()) == [1, 2, 3, 4]
    assert [item.text for item in batch.items] == ["1234 / 567", "905", "", "3"]
    assert "damaged" in batch.items[2].problem and batch.items[2].least_sure is None
    assert all(max(item.thumbnail.shape) <= 40 and item.least_sure > 0.5 for item in batch.items if not item.problem)
    rows = list(csv.DictReader(io.StringIO(as_csv(batch.items).decode())))
    assert [row["text"] for row in rows] == ["1234 / 567", "905", "", "3"]
    assert [row["digits"] for row in rows] == ["7", "3", "0", "1"]
    assert rows[2]["problem"] == batch.items[2].problem and rows[2]["least_sure"] == "" and float(rows[0]["least_sure"]) > 0.5


def test_a_name_that_is_no_text_does_not_break_the_table():
    written = as_csv([Item(Path('a,"b"\n\udcff.png'), 0.5, problem="It is damaged.")])
    assert list(csv.reader(io.StringIO(written.decode())))[1][0] == 'a,"b"??.png'


def test_predict_reads_a_folder_and_writes_the_table(folder, tmp_path):
    done = digitlab("predict", folder, "--csv", tmp_path / "read.csv")
    assert done.returncode == 2 and done.stderr.count("damaged") == 1 and len(done.stdout.splitlines()) == 3
    rows = list(csv.DictReader((tmp_path / "read.csv").read_text("utf-8").splitlines()))
    assert [row["text"] for row in rows] == ["1234 / 567", "905", "", "3"] and rows[3]["file"] == str(folder / "sub" / "one.png")


@pytest.fixture
def batch_page(lab, qtbot) -> BatchPage:
    """The page, with the shipped network in view."""
    network, _ = open_weights(DEFAULT_PICTURE_NETWORK)
    lab.state.show_network(NetworkInView.of(network, "mnist-cnn", "shipped"), Moment(0, network.state_dict()))
    made = BatchPage(lab)
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    return made


def drop(widget: BatchPage, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    widget.dropEvent(event)


def column(table: BatchTable, place: int) -> list[str]:
    return [table.rows.index(row, place).data() for row in range(table.rows.rowCount())]


def test_a_folder_that_is_dropped_becomes_rows_and_a_click_shows_the_picture(qtbot, lab, batch_page, folder, tmp_path):
    drop(batch_page, folder)
    assert lab.batching.is_going and not batch_page.folder.isEnabled() and batch_page.cancel.isEnabled()
    qtbot.waitUntil(lambda: not lab.batching.is_going, timeout=60_000)
    table = batch_page.table
    assert column(table, NAME) == ["page 2.png", "page 10.png", "page 11.png", "one.png"]
    assert column(table, TEXT)[:2] == ["1234 / 567", "905"] and column(table, TEXT)[2].startswith("It is damaged")
    assert batch_page.words.words.startswith("4 pictures · 1 could not be read · ") and "mnist-cnn" in batch_page.words.words
    table.sortByColumn(LEAST_SURE, Qt.SortOrder.AscendingOrder)
    assert column(table, NAME)[0] == "page 11.png", "what could not be read should be looked at first"
    row = column(table, NAME).index("one.png")
    table.setCurrentIndex(table.rows.index(row, NAME))
    QTest.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: lab.state.probe.value.origin == "one.png", timeout=10_000)
    assert len(lab.state.probe.value.together) == 4
    lab.batching.save(tmp_path / "out.csv")
    qtbot.waitUntil((tmp_path / "out.csv").exists, timeout=10_000)
    assert len(list(csv.reader((tmp_path / "out.csv").read_text("utf-8").splitlines()))) == 5


def test_a_batch_that_is_cancelled_keeps_what_it_has(qtbot, lab, batch_page, folder, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(300):
        (many / f"{number}.png").write_bytes((folder / "sub" / "one.png").read_bytes())
    drop(batch_page, many)
    qtbot.waitUntil(lambda: batch_page.table.rows.rowCount() > 2, timeout=60_000)
    QTest.mouseClick(batch_page.cancel, Qt.MouseButton.LeftButton)
    assert not batch_page.cancel.isEnabled()
    qtbot.waitUntil(lambda: not lab.batching.is_going, timeout=60_000)
    count = batch_page.table.rows.rowCount()
    assert 2 < count < 300 and f"{count} of 300 pictures · stopped" in batch_page.words.words
    assert batch_page.save.isEnabled() and batch_page.folder.isEnabled()


def test_a_folder_without_pictures_is_one_sentence(qtbot, lab, batch_page, tmp_path):
    told = []
    lab.problem.connect(told.append)
    (tmp_path / "nothing").mkdir()
    drop(batch_page, tmp_path / "nothing")
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert "no pictures" in told[0].message and not told[0].details and batch_page.folder.isEnabled()


def test_thousands_of_rows_are_added_and_sorted_and_only_those_in_sight_are_drawn(qtbot, themed):
    table = BatchTable()
    qtbot.addWidget(table)
    table.resize(800, 400)
    table.show()
    thumbnail = np.zeros((40, 30, 3), np.uint8)
    rows = [
        BatchRow(f"{number}.png", f"/{number}.png", thumbnail, "12", 2, (number * 7919 % 5000) / 5000, True, 0.1, "")
        for number in range(5000)
    ]
    for start in range(0, 5000, 500):
        table.rows.add(rows[start : start + 500])
    table.sortByColumn(LEAST_SURE, Qt.SortOrder.AscendingOrder)
    assert table.rows.index(0, NAME).data() == "0.png" and column(table, LEAST_SURE)[-1] == "100.0 %"
    qtbot.waitUntil(lambda: len(table.rows._pixmaps) > 0)
    assert len(table.rows._pixmaps) < 60
    table.resize(420, 400)
    assert table.isColumnHidden(TIME) and not table.isColumnHidden(TEXT), "where there is little room the texts stay"
