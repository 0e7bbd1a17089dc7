"""The window as a room: where it stands, what it remembers, and that nothing in it moves unasked."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QToolTip, QWidget

from app.core.in_view import DataInView
from app.core.layout import read_layout
from app.core.probe import Kind, Probe
from app.core.runs import RunStore
from app.core.session import TrainingSession
from app.errors import Problem
from app.menus import give_letters
from app.panels import PANELS
from app.panels.runs.model import COLUMNS
from app.placing import screens
from app.training import Status
from nncore.data import Dataset, synthetic, synthetic_street
from nncore.errors import DigitLabError
from tests.app.runs_table import choose, show_runs
from tests.app.test_layout import damaged


def menu(window, title: str):
    return next(action.menu() for action in window._menus.actions() if action.text().replace("&", "") == title)


def entry(window, title: str, text: str):
    return next(action for action in menu(window, title).actions() if action.text().replace("&", "") == text)


def places(widget: QWidget) -> dict[QWidget, tuple[QPoint, int, int]]:
    """Where every visible widget of a panel is, apart from the strip."""
    strip = widget.panel.notice
    visible = [child for child in widget.findChildren(QWidget) if child.isVisible()]
    return {
        child: (child.mapTo(widget, QPoint()), child.width(), child.height())
        for child in visible
        if child is not strip and not strip.isAncestorOf(child)
    }


def settled(window, qtbot) -> dict[QWidget, tuple[QPoint, int, int]]:
    """`places`, once nothing moves any more."""
    before: dict[QWidget, tuple[QPoint, int, int]] = {}
    for _ in range(100):
        qtbot.wait(50)
        before, last = places(window), before
        if before == last:
            return before
    raise AssertionError("the panel does not come to rest")


# -- where it stands


def test_the_probe_floats_docks_and_comes_back_when_closed(window):
    floating, shown = entry(window, "View", "Float the probe"), entry(window, "View", "Probe")
    for _ in range(2):
        floating.trigger()
        assert window._dock.isFloating() and window._dock.isVisible() and floating.isChecked()
        window._dock.close()
        assert not window._dock.isVisible() and not shown.isChecked()
        shown.trigger()
        assert window._dock.isVisible() and window._dock.isFloating()
        floating.trigger()
        assert not window._dock.isFloating() and window._dock.isVisible() and not floating.isChecked()


def test_the_first_window_fits_on_the_screen_with_its_frame(window):
    (room, *_) = screens()
    assert window.height() <= room.height - 30 and window.y() >= room.y
    assert window.width() <= max(room.width, window.minimumWidth())


def test_no_panel_pushes_the_window_beyond_a_small_screen(window, qtbot):
    window.resize(1264, 736)
    long = "a name that is far too long for any chip or title " * 4
    window.lab.state.data.set(DataInView(long, replace(synthetic("train", 60), name=long), None))
    window.lab.state.probe.set(Probe(np.zeros((40, 40, 1), np.uint8), long))
    window.lab.said.emit(long)
    for spec in PANELS:
        window.show_panel(spec.name)
        qtbot.wait(1)  # so that layouts settle
        assert (window.width(), window.height()) == (1264, 736), spec.name
        hint = window.minimumSizeHint()
        assert hint.width() <= 1264 and hint.height() <= 736, spec.name


def test_size_place_and_floating_probe_come_back(make_window, qtbot):
    first = make_window()
    first.resize(960, 650)  # the offscreen screen is 800 pixels wide and high
    first.move(0, 30)
    entry(first, "View", "Float the probe").trigger()
    first._dock.resize(330, 600)
    first.close()
    second = make_window()
    assert (second.x(), second.y(), second.width(), second.height()) == (0, 30, 960, 650)
    qtbot.waitUntil(lambda: second._dock.isFloating() and second._dock.isVisible())
    assert read_layout(second.lab.settings.layout_file).probe_floating


@pytest.mark.parametrize("number", range(5))
def test_a_damaged_layout_opens_a_window(make_window, tmp_path, number):
    folder = tmp_path / "config" / "digitlab"
    folder.mkdir(parents=True)
    (folder / "layout.json").write_bytes(damaged(number))
    (folder / "window.ini").write_bytes(b"[General]\nstate=@ByteArray(\xff\x00damaged)")
    window = make_window()
    assert window.isVisible() and any(room.shared(room) for room in screens())
    room = QGuiApplication.primaryScreen().availableGeometry()
    assert room.intersects(window.frameGeometry())


def test_after_a_crash_the_layout_is_the_first_one(make_window):
    first = make_window()
    usual = first.height()
    first.resize(1000, 640)
    first.close()
    first.lab.settings.begin_use()  # and never closed
    second = make_window()
    assert second.height() == usual
    second.resize(1000, 640)
    second.close()
    assert make_window().height() == 640, "closed as it should be"


# -- what it remembers


def test_recipe_network_and_probe_come_back(make_window, qtbot):
    first = make_window()
    lab = first.lab
    lab.state.data.set(DataInView("synthetic", synthetic("train", 200), None))
    lab.state.change_recipe(epochs=1, learning_rate=0.002)
    lab.state.recipe.set(lab.state.recipe.value.with_limit(150))
    with qtbot.waitSignal(lab.training.ended, timeout=90_000):
        lab.start_training()
    image = synthetic("test", 5).images[3]
    lab.state.probe.set(Probe(image, "an image", 4, Kind.DATASET))
    first.close()
    second = make_window()
    state = second.lab.state
    recipe = state.recipe.value
    assert (recipe.config.epochs, recipe.config.learning_rate, recipe.limit) == (1, 0.002, 150)
    assert state.network.value.source == "run mnist-cnn-1"
    qtbot.waitUntil(lambda: state.probe.value.picture is not None, timeout=10_000)
    probe = state.probe.value
    assert np.array_equal(probe.picture, image) and (probe.origin, probe.label, probe.kind) == ("an image", 4, Kind.DATASET)


def kept_for_the_next_start(tmp_path, settings: bytes, picture: bytes = b"no picture") -> Path:
    folder = tmp_path / "config" / "digitlab"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_bytes(settings)
    (folder / "probe.png").write_bytes(picture)
    return folder


NO_PROBE = {"probe": {"origin": "x", "label": 1, "kind": "picture"}}


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (b"", "settings.json cannot be read, so the usual ones are there"),
        (b'{"theme": "dark"', "The file is kept as"),
        (b"[1]", "settings.json cannot be read"),
        (b"\xff\xfe", "settings.json cannot be read"),
        ({"thene": "dark", "panel": 3}, "says of panel, thene makes no sense here and is left out"),
        ({"recipe": {"network": "gone", "settings": {}}}, "The recipe of the last time cannot be used"),
        ({"recipe": {"network": "mlp", "settings": {"epochs": -1}, "limit": 3}}, "The recipe of the last time cannot be used"),
        ({"network": {"run": 5}}, "the last network in view makes no sense"),
        ({"network": {"weights": "/no/such/file"}}, "What was in view last is not shown: "),
        (NO_PROBE, "The picture of the last time is not shown: "),
        ({"probe": {"origin": 3}}, "The picture of the last time is not shown: what was kept of it makes no sense."),
    ],
)
def test_what_was_kept_and_is_damaged_is_told_in_one_line(make_window, tmp_path, kept, told, qtbot):
    kept_for_the_next_start(tmp_path, kept if isinstance(kept, bytes) else json.dumps(kept).encode())
    window = make_window()
    notice = window.panel.notice
    qtbot.waitUntil(notice.isVisible, timeout=10_000)
    assert told in notice.message.text() and "\n" not in notice.message.text() and not notice._more.isVisible()
    assert window.lab.state.network.value.source == "shipped" and window.lab.state.recipe.value.network == "mnist-cnn"
    assert window.lab.state.probe.value.picture is None


def test_settings_that_cannot_be_read_are_set_aside(make_window, tmp_path):
    folder = kept_for_the_next_start(tmp_path, b'{"theme": "dark", "panel"')
    window = make_window()
    window.set_theme("light")
    assert (folder / "settings.damaged.json").read_bytes() == b'{"theme": "dark", "panel"'
    assert json.loads((folder / "settings.json").read_text())["theme"] == "light"


def test_a_run_that_has_been_deleted_is_not_missed(make_window, tmp_path, qtbot):
    kept_for_the_next_start(tmp_path, json.dumps({"network": {"run": "gone"}}).encode())
    window = make_window()
    qtbot.wait(50)
    assert window.lab.state.network.value.source == "shipped" and not window.panel.notice.isVisible()


def test_a_damaged_layout_is_told(make_window, tmp_path):
    kept_for_the_next_start(tmp_path, b"{}")
    (tmp_path / "config" / "digitlab" / "layout.json").write_bytes(b"{")
    assert "layout.json cannot be read, so the window is as at the first start." in make_window().panel.notice.message.text()


def test_settings_that_cannot_be_written_are_told_once_and_lose_no_training(make_window, qtbot, tmp_path):
    (tmp_path / "config").write_text("a file where the folder should be")
    window = make_window()
    window.set_theme("light")
    qtbot.waitUntil(window.panel.notice.isVisible)
    assert "does not remember" in window.panel.notice.message.text()
    window.panel.notice.dismiss()
    window.set_theme("dark")
    assert not window.panel.notice.isVisible(), "once is enough"
    window.lab.state.change_recipe(epochs=50)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None, timeout=60_000)
    assert window.close() and not window.isVisible()
    (run,) = window.lab.store.list()
    assert run.status == "stopped" and run.steps > 0 and window.lab.store.weights_of(run).exists()


# -- nothing moves unasked


def test_a_strip_moves_nothing_when_it_comes_and_goes(window, qtbot):
    for spec in PANELS:
        window.show_panel(spec.name)
        before = settled(window, qtbot)
        window.show_problem(Problem("Something went wrong. " * 12))
        qtbot.wait(20)
        strip = window.panel.notice
        assert strip.isVisible() and places(window) == before, spec.name
        assert window.panel.rect().contains(strip.geometry())
        assert strip.height() >= strip.message.heightForWidth(strip.message.width())
        strip.dismiss()
        assert places(window) == before, spec.name


def test_messages_and_the_time_bar_move_nothing(window, qtbot):
    def fixed() -> list[tuple[int, int, int]]:
        bar = window.time_bar
        buttons = (button for button in bar._buttons.values() if not button.isHidden())  # two of them share one place
        parts = (*buttons, bar._what, bar.slider, bar._step, bar._figures)
        chips = (window.top_bar._network, window.top_bar._data, window.top_bar._device)
        return [(part.x(), part.width(), part.height()) for part in (*parts, *chips)]

    qtbot.wait(20)
    before = fixed()
    bar = window.time_bar
    assert bar._what.geometry().right() < bar.slider.x() and bar.slider.geometry().right() < bar._step.x()
    assert bar._step.geometry().right() < bar._figures.x() and bar._figures.geometry().right() < bar.width()
    window.lab.opener.opening.emit("a dataset with a name that goes on and on", "data")
    window.lab.said.emit("Kept as a 7 among your own digits.")
    window.lab.state.data.set(DataInView("x", replace(synthetic("train", 200), name="A much longer name than before"), None))
    for status in Status:
        window.lab.training.status = status
        window._update_actions()
        qtbot.wait(1)
        assert fixed() == before, status
    window.lab.training.status = Status.IDLE


def test_a_strip_goes_when_its_cause_is_gone(window, qtbot, tmp_path):
    window.lab.opener.open_data(str(tmp_path / "nothing"))
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=10_000)
    window.lab.opener.open_picture(tmp_path / "no.png")
    qtbot.waitUntil(lambda: "no.png" in window.panel.notice.message.text(), timeout=10_000)
    window.lab.opener.open_data("synthetic-street")
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "synthetic-street", timeout=20_000)
    assert window.panel.notice.isVisible(), "this one is about the picture"
    window.lab.state.probe.set(Probe(np.zeros((40, 40, 1), np.uint8), "a picture"))
    assert not window.panel.notice.isVisible()


def test_a_training_that_could_not_start_is_forgiven_with_other_data(window, qtbot):
    data = window.lab.state.data.value
    window.lab.state.data.set(None)
    window._actions["toggle"].trigger()
    assert window.panel.notice.isVisible()
    window.show_panel("inspect")
    window.lab.state.data.set(data)
    window.show_panel("recognise")
    assert not window.panel.notice.isVisible(), "in whatever panel it stood"


# -- the keyboard


def test_a_click_on_start_leaves_the_keyboard_where_it_was(window, qtbot):
    window.show_panel("train")
    field = window.panel.recipe.fields["learning_rate"]
    field.setFocus()
    window.lab.state.change_recipe(epochs=50)
    QTest.mouseClick(window.time_bar._buttons["toggle"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.lab.training.status is Status.TRAINING, timeout=60_000)
    assert QApplication.focusWidget() is field
    QTest.mouseClick(window.time_bar._buttons["stop"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=60_000)
    assert QApplication.focusWidget() is field


def test_a_field_that_is_disabled_gives_the_keyboard_back_afterwards(window, qtbot):
    window.show_panel("train")
    window.lab.state.change_recipe(epochs=50)
    field = window.panel.recipe.fields["epochs"]
    field.setFocus()
    window._actions["toggle"].trigger()
    assert QApplication.focusWidget() is window.panel, "where Space pauses"
    qtbot.waitUntil(lambda: window.lab.training.status is Status.TRAINING, timeout=60_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=60_000)
    assert QApplication.focusWidget() is field


def test_start_and_stop_by_tab_and_space_keep_the_keyboard(window, qtbot):
    window.lab.state.change_recipe(epochs=50)
    buttons = window.time_bar._buttons
    buttons["toggle"].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(buttons["toggle"], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.lab.training.status is Status.TRAINING, timeout=60_000)
    assert QApplication.focusWidget() is buttons["toggle"]
    QTest.keyClick(buttons["toggle"], Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is buttons["stop"]
    QTest.keyClick(buttons["stop"], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=60_000)
    assert QApplication.focusWidget() is buttons["toggle"], "the button of the next step"


def test_dismissing_a_strip_leaves_the_keyboard_in_the_panel(window):
    window.show_panel("inspect")
    window.show_problem(Problem("Something"))
    strip = window.panel.notice
    button = strip.findChildren(type(strip._more))[-1]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert not strip.isVisible() and QApplication.focusWidget() is window.panel


def test_every_menu_entry_has_a_letter_of_its_own(window):
    bar = [action.text() for action in window._menus.actions()]
    menus = {action.text(): action.menu() for action in window._menus.actions()}
    menus["Theme"] = entry(window, "View", "Theme").menu()
    texts = {"": bar}
    for title, each in menus.items():
        each.aboutToShow.emit()
        texts[title] = [action.text() for action in each.actions() if not action.isSeparator()]
    for title, words in texts.items():
        letters = [text[text.index("&") + 1].lower() for text in words]
        assert len(letters) == len(set(letters)) == len(words), title


def test_letters_begin_words_where_they_can(qapp, window):
    actions = menu(window, "File").actions()
    give_letters([action for action in actions if not action.isSeparator()])
    assert entry(window, "File", "Quit").text() == "&Quit"


def test_long_tooltips_are_wrapped(window):
    window.show_panel("inspect")
    box = window.panel.network.every
    at = box.mapToGlobal(QPoint(3, 3))
    QApplication.sendEvent(box, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(3, 3), at))
    assert box.toolTip()[:20] in QToolTip.text() and 'width="360"' in QToolTip.text()
    QToolTip.hideText()


# -- runs


def test_the_safe_answer_is_the_default_when_a_run_is_deleted(window, qtbot, monkeypatch):
    window.lab.store.create("a", "mlp", "synthetic", {})
    window.lab.store.update(window.lab.store.get("a"), status="finished")
    panel = choose(qtbot, window, "a")
    asked: list[tuple[str, set[str]]] = []

    def answer(box: QMessageBox) -> int:
        words = {button.text() for button in box.buttons()}
        asked.append((box.defaultButton().text(), words))
        (box.defaultButton() if len(asked) == 1 else next(b for b in box.buttons() if b.text() == "Delete")).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    panel.buttons.delete.click()
    assert asked == [("Keep", {"Keep", "Delete"})] and len(window.lab.store.list()) == 1
    panel.buttons.delete.click()
    qtbot.waitUntil(lambda: window.lab.store.list() == [], timeout=5000)


def test_a_run_that_is_trained_cannot_be_deleted_and_says_why(window, qtbot):
    window.lab.state.change_recipe(epochs=50)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None, timeout=60_000)
    window.lab.store.update(window.lab.training.run, seconds=3.0)  # its row changes while it is trained
    button = choose(qtbot, window, "mnist-cnn-1").buttons.delete
    assert not button.isEnabled() and "stop it first" in button.toolTip()
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=60_000)


def test_a_damaged_table_of_runs_is_told_in_the_strip(window, qtbot):
    store = window.lab.store
    store.create("a", "mlp", "synthetic", {})
    (store.folder / "runs.sqlite").write_bytes(b"no database at all" * 100)
    thread = threading.Thread(target=store.list)  # as from a background task
    thread.start()
    thread.join()
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert "table of runs was damaged" in window.panel.notice.message.text()


def test_an_epoch_added_during_the_last_evaluation_is_trained(window, qtbot, monkeypatch):
    window.lab.state.data.set(DataInView("synthetic", synthetic("train", 200), synthetic("test", 100)))
    window.lab.state.change_recipe(epochs=1)
    conclude, training = TrainingSession._conclude, window.lab.training
    evaluating, asked, calls = threading.Event(), threading.Event(), []

    def late(session: TrainingSession, status: str) -> None:
        calls.append(session.trainer.step)
        evaluating.set()  # all steps have been taken; the test images are being looked at
        asked.wait(60)
        conclude(session, status)

    monkeypatch.setattr(TrainingSession, "_conclude", late)
    with qtbot.waitSignal(training.ended, timeout=90_000):
        window.lab.start_training()
        qtbot.waitUntil(evaluating.is_set, timeout=60_000)
        window._actions["more"].trigger()
        asked.set()
    steps = training.session.trainer.steps_per_epoch
    assert calls == [steps, 2 * steps] and len(window.lab.store.list()) == 1


def test_a_refusal_to_delete_is_a_sentence(window, qtbot, monkeypatch):
    window.lab.store.create("a", "mlp", "synthetic", {})
    window.lab.store.update(window.lab.store.get("a"), status="finished")
    panel = choose(qtbot, window, "a")

    def refuse(store: RunStore, run: object) -> None:
        raise DigitLabError("The disk is full; free some space.")

    monkeypatch.setattr("app.panels.runs.actions.confirmed", lambda *_: True)
    monkeypatch.setattr(RunStore, "delete", refuse)
    panel.buttons.delete.click()
    qtbot.waitUntil(panel.notice.isVisible, timeout=5000)
    assert "disk is full" in panel.notice.message.text()


# -- words


def test_data_has_one_name_for_people(window, qtbot):
    window.lab.opener.open_data("synthetic")
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "synthetic", timeout=20_000)
    assert window.lab.state.data.value.train.name == "Drawn digits"
    assert window.top_bar._data._words.startswith("Drawn digits ")
    window.lab.store.create("a", "mlp", "synthetic-street", {})
    table = show_runs(qtbot, window).table.rows
    data = next(place for place, column in enumerate(COLUMNS) if column.title == "data")
    assert table.index(0, data).data() == "Drawn street numbers"


def test_a_network_for_other_data_is_not_lost_by_looking_at_it(window):
    colour = DataInView("s", synthetic_street("train", 30), None)
    wide = DataInView("wide", Dataset(np.zeros((9, 20, 64, 1), np.uint8), np.arange(9), "wide"), None)
    box = window.panel_named("train").recipe.preset
    for data in (colour, wide):
        window.lab.state.data.set(data)
        assert box.name == window.lab.state.recipe.value.network and box.model().item(box.currentIndex()).isEnabled()
