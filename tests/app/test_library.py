"""Datasets in the window: got from a server on this machine, broken off, gone on with, refused, and kept under a name."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.in_view import DataInView
from app.widgets.dataset_card import DatasetCard
from nncore.data import Dataset, synthetic
from nncore.data import download as download_module
from nncore.data.sources import SOURCES, RemoteFile, Source
from tests.app.test_window import drop
from tests.nncore.data.server import Server, serving
from tests.nncore.data.test_idx import idx_bytes

COUNTS = {"train": 3000, "test": 40}


def files() -> dict[str, bytes]:
    """The four files of a small MNIST; the first is large enough to be broken off in."""
    made = {}
    for part, (split, count) in zip(("train", "t10k"), COUNTS.items(), strict=True):
        data = synthetic(split, count, seed=1)
        made[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(data.images[..., 0]), 1, mtime=0)
        made[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx_bytes(data.labels), mtime=0)
    return made


FILES = files()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download_module, "PAUSE", 0.0)
    with serving(FILES) as made:
        yield made


@pytest.fixture
def offer(server, monkeypatch):
    """Publish the small MNIST on a server of these manners."""

    def publish(*manners: str) -> None:
        remote = tuple(RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items())
        mirrors = tuple(server.mirror(manner) for manner in manners) or ("http://127.0.0.1:9/",)
        monkeypatch.setitem(SOURCES, "mnist", Source("mnist", "MNIST", "mnist", remote, COUNTS, mirrors))

    return publish


def card(window, name: str = "mnist") -> DatasetCard:
    return window.panel.shelf.cards[name]


def show_shelf(window, qtbot) -> None:
    window.show_panel("data")
    qtbot.waitUntil(
        lambda: "mnist" in window.panel.shelf.cards and not window.panel.shelf.cards["mnist"].known.here, timeout=10_000
    )


def test_a_dataset_is_got_and_opened_by_one_click(offer, window, qtbot, isolated):
    offer("breaks", "good")
    show_shelf(window, qtbot)
    assert card(window)._get.text().startswith("Get it") and not card(window)._bar.isVisible()
    QTest.mouseClick(card(window)._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "mnist", timeout=30_000)
    data = window.lab.state.data.value
    assert (len(data.train), len(data.test)) == (3000, 40)
    qtbot.waitUntil(lambda: card(window)._state.text() == "in view", timeout=10_000)
    assert "3,000 + 40 images" in " ".join(label.text() for label in card(window).findChildren(type(card(window)._state)))
    assert sorted(path.name for path in (isolated / "mnist").iterdir() if path.suffix != ".lock") == sorted(FILES)


def test_a_download_is_cancelled_and_goes_on_from_there(offer, server, window, qtbot, isolated):
    offer("hangs-midway")
    show_shelf(window, qtbot)
    QTest.mouseClick(card(window)._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card(window)._bar.value() > 0, timeout=10_000)
    assert card(window)._leave.isVisible() and "kB of" in card(window)._words.text()
    QTest.mouseClick(card(window)._leave, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card(window)._get.text().startswith("Go on"), timeout=10_000)
    assert window.lab.state.data.value.spec == "synthetic", "what was in view stays"
    kept = (isolated / "mnist" / ".train-images-idx3-ubyte.gz.part").stat().st_size
    offer("good")
    QTest.mouseClick(card(window)._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "mnist", timeout=30_000)
    assert kept > 0 and ("good", "train-images-idx3-ubyte.gz", f"bytes={kept}-") in server.asked


def test_offline_the_panel_says_where_to_put_the_files(offer, window, qtbot, isolated):
    offer()
    show_shelf(window, qtbot)
    QTest.mouseClick(card(window)._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=20_000)
    words = window.panel.notice.message.text()
    assert "refused the connection" in words and "train-images-idx3-ubyte.gz" in words and str(isolated / "mnist") in words
    qtbot.waitUntil(lambda: card(window)._get.isVisible(), timeout=5000)
    assert window.lab.state.data.value.spec == "synthetic"


@pytest.mark.parametrize("answer", [False, True])
def test_files_that_are_not_the_published_ones_are_only_replaced_if_the_user_says_so(
    offer, make_window, qtbot, isolated, monkeypatch, answer
):
    offer("good")
    (isolated / "mnist").mkdir()
    mine = synthetic("train", 20, seed=3)
    (isolated / "mnist" / "train-images-idx3-ubyte").write_bytes(idx_bytes(mine.images[..., 0]))
    (isolated / "mnist" / "train-labels-idx1-ubyte").write_bytes(idx_bytes(mine.labels))
    window = make_window()
    window.show_panel("data")
    qtbot.waitUntil(lambda: "mnist" in window.panel.shelf.cards, timeout=10_000)
    asked = []
    monkeypatch.setattr("app.panels.data.shelf.confirmed", lambda *words: asked.append(words[2]) or answer)
    assert card(window)._get.text().startswith("Get all of it")
    QTest.mouseClick(card(window)._get, Qt.MouseButton.LeftButton)
    assert "not the published ones" in asked[0]
    if answer:
        qtbot.waitUntil(lambda: len(window.lab.state.data.value.train) == 3000, timeout=30_000)
    else:
        assert not window.lab.library.is_going("mnist") and len(window.lab.state.data.value.train) == 20


def test_a_folder_dropped_on_the_window_is_shown_and_kept_under_its_name(window, qtbot, tmp_path, isolated):
    folder = tmp_path / "homework"
    for number in range(6):
        place = folder / str(number % 3)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((28, 28), 10 * number, np.uint8)).save(place / f"{number}.png")
    qtbot.waitUntil(lambda: len(window.lab.library.known) > 0, timeout=10_000)
    drop(window, folder)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == str(folder), timeout=10_000)
    qtbot.waitUntil(lambda: str(folder) in window.panel.shelf.cards, timeout=10_000)
    assert window.panel_name == "data" and card(window, str(folder))._get.text() == "Keep it"
    QTest.mouseClick(card(window, str(folder))._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "homework", timeout=10_000)
    qtbot.waitUntil(lambda: "homework" in window.panel.shelf.cards, timeout=10_000)
    assert len(list((isolated / "homework").rglob("*.png"))) == 6 and str(folder) not in window.panel.shelf.cards


def test_images_without_labels_can_be_looked_at_and_nothing_is_learned_from_them(window, qtbot, tmp_path):
    data = synthetic("test", 30, seed=4)
    names = ",".join(f"pixel{number}" for number in range(784))
    (tmp_path / "test.csv").write_text("\n".join([names, *(",".join(map(str, image.ravel())) for image in data.images)]))
    drop(window, tmp_path / "test.csv")
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec.endswith("test.csv"), timeout=10_000)
    view, browser = window.lab.state.data.value, window.panel.browser
    assert view.test is None and np.array_equal(view.train.images, data.images)
    assert "Nobody has said" in browser._balance_hint.text() and browser.item(3).class_name == "?"
    browser.grid.choose(3)
    assert window.lab.state.probe.value.label is None
    window._actions["toggle"].trigger()
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=60_000)
    assert "no labels to learn from" in window.panel.notice.message.text()


def test_a_damaged_file_leaves_the_data_as_it_was(window, qtbot, tmp_path):
    before = window.lab.state.data.value
    (tmp_path / "digits.csv").write_text("label,pixel0\n1,x\n")
    drop(window, tmp_path / "digits.csv")
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=10_000)
    assert "digits.csv" in window.panel.notice.message.text() and window.lab.state.data.value is before


def test_a_list_made_anew_leaves_the_keyboard_where_it_is_and_keeps_the_order(window, qtbot):
    show_shelf(window, qtbot)
    shelf, search = window.panel.shelf, window.panel.browser.search
    card(window).setFocus()
    search.setFocus()
    window.lab.library.changed.emit()
    assert QApplication.focusWidget() is search
    qtbot.waitUntil(card(window, "svhn").isVisible, timeout=5000)
    card(window, "svhn").setFocus()
    window.lab.library.changed.emit()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is card(window, "svhn"), timeout=5000)
    order, widget = [], card(window)
    while widget is not shelf._folder and len(order) < 200:
        order.append(widget)
        widget = widget.nextInFocusChain()
    assert [each for each in order if isinstance(each, DatasetCard)] == list(shelf.cards.values())
    assert search not in order


def test_only_the_latest_look_at_the_datasets_counts(window, qtbot, monkeypatch):
    qtbot.waitUntil(lambda: len(window.lab.library.known) > 0, timeout=10_000)
    kept = []
    monkeypatch.setattr("app.library.Task", lambda look, show, fail: kept.append(show) or SimpleNamespace(begin=lambda: None))
    window.lab.library.refresh()
    window.lab.library.refresh()
    known = window.lab.library.known
    kept[1](list(known[:2]))
    kept[0](list(known))
    assert window.lab.library.known == known[:2]


def test_a_right_click_on_a_card_opens_nothing(window, qtbot):
    show_shelf(window, qtbot)
    QTest.mouseClick(card(window, "synthetic-street"), Qt.MouseButton.RightButton)
    assert window.lab.state.data.value.spec == "synthetic" and "synthetic-street" not in window.lab.opener._last_opened


def test_photos_with_many_classes_get_no_mean_images(window, qtbot):
    images = np.zeros((2, 256, 256, 3), np.uint8)
    data = Dataset(images, np.array([0, 999]), "photos", class_names=tuple(map(str, range(1000))))
    window.show_panel("data")
    window.lab.state.data.set(DataInView("photos", data, None))
    browser = window.panel.browser
    assert data not in browser._awaited and browser.balance.mean_of(0) is None
    assert browser.grid.cell_rect(0).width() < 150, "large images are shown smaller"
    browser.grid.grab()


def test_a_part_with_other_classes_offers_them(window, qtbot):
    train = synthetic("train", 30)
    test = Dataset(train.images, np.arange(30) % 12, "more", class_names=tuple(map(str, range(12))))
    window.show_panel("data")
    window.lab.state.data.set(DataInView("more", train, test))
    browser = window.panel.browser
    browser.part.setCurrentIndex(1)
    browser.balance.choose(11)
    assert browser.classes.currentText() == "11" and browser.balance.current == 11 and len(browser.grid) == 2


def test_in_a_narrow_window_what_is_looked_at_keeps_its_room(window, qtbot):
    show_shelf(window, qtbot)
    window.resize(960, 620)
    panel = window.panel
    qtbot.waitUntil(lambda: panel.width() < 700, timeout=5000)
    assert panel.shelf.isVisible() and not panel.browser._right.isVisible() and panel.gallery.width() > 200
    panel.gallery.choose(2)
    QTest.keyClick(panel.gallery, Qt.Key.Key_Return)
    assert not panel.shelf.isVisible()
    qtbot.waitUntil(lambda: panel.closer.width() > 500, timeout=5000)
    QTest.keyClick(panel.closer.view, Qt.Key.Key_Escape)
    assert panel.shelf.isVisible()
