"""The window: the join of edit, train, inspect and draw, used as a person uses it."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QSlider

from app import opening
from app.core.in_view import DataInView, NetworkInView
from app.core.probe import Kind, Probe
from app.core.timeline import Moment
from app.launch import build_window
from app.panels import PANELS
from app.panels.inspect.filters import FiltersCard
from app.theme import theme
from app.training import Status
from app.widgets.pixels import to_qimage
from app.window import Window
from models.presets import PRESETS
from nncore.data import Dataset, catalogue, synthetic, synthetic_street
from nncore.network import Network
from nncore.weights import load_weights, save_weights
from tests.app.conftest import FIVE, ONE, PREPARE_PANELS, draw
from tests.app.inspect_cards import bring
from tests.app.runs_table import choose

ENDLESS = 1000
"""Epochs of a training that a test stops itself, however quick the machine is."""


def use_few_images(window: Window, images: int = 400, epochs: int = 2) -> None:
    """Without the Train panel's form, which takes half a second to build."""
    recipe = window.lab.state.recipe
    recipe.set(recipe.value.with_limit(images).with_settings(epochs=epochs))


def train(qtbot, window: Window) -> None:
    """Train to the end."""
    with qtbot.waitSignal(window.lab.training.ended, timeout=90_000):
        window._actions["toggle"].trigger()


def answered(qtbot, window: Window, digit: int | None) -> None:
    qtbot.waitUntil(lambda: window.probe.look is not None and said(window) == digit, timeout=5000)


def said(window: Window) -> int | None:
    """The digit that the probe dock shows."""
    found = window.probe.look.digit
    return None if found is None else found.answer.digit


def drop(window: Window, *paths) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    everything = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(300, 300), *everything))


def test_the_first_start_opens_on_an_empty_sheet_with_a_network(window):
    assert window.panel_name == "recognise" and window.panel.canvas.is_blank
    assert window.lab.state.network.value.name == opening.DEFAULT_PICTURE_NETWORK
    assert window.lab.state.network.value.source == "shipped"
    assert window.lab.state.data.value.spec == "synthetic", "with nothing downloaded the built-in digits are there"
    assert window.panel.canvas.hasFocus()


def test_a_drawn_digit_is_recognised_and_undo_takes_the_answer_back(window, qtbot):
    draw(window.panel.canvas, ONE)
    answered(qtbot, window, 1)
    assert window.probe.answer.text() == "1" and "sure" in window.probe.words.text()
    assert window.probe.picture.pixels.shape == (28, 28, 1)
    assert window.probe.bars.values[1] == window.probe.bars.values.max() > 0.5
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    answered(qtbot, window, None)
    QTest.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    answered(qtbot, window, 1)
    QTest.keyClick(window, Qt.Key.Key_Delete)
    answered(qtbot, window, None)
    assert window.panel.canvas.is_blank


def test_every_panel_is_reached_by_its_keys(window):
    for number, spec in enumerate(PANELS, 1):
        QTest.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.panel_name == spec.name and window.panel.isVisible()


def test_training_moves_curves_network_moment_and_answer(window, qtbot):
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    before = window.probe.look.digit.answer.probabilities
    use_few_images(window)
    window.show_panel("train")
    steps, answers = [], []
    window.lab.state.moment.subscribe(lambda moment: steps.append(moment.step), now=False)
    window.lab.looking.looked.connect(lambda look: answers.append((look.question.moment.step, look.digit.answer.probabilities)))
    train(qtbot, window)
    training = window.lab.training
    assert training.status is Status.IDLE and training.result.val_accuracy is not None
    total = training.session.trainer.total_steps
    assert steps[0] == 0 and steps[-1] == total and steps == sorted(steps) and len(steps) > 3
    loss = window.panel.curves.loss
    assert len(loss._train.x) == total and loss._validation.x[-1] == total
    qtbot.waitUntil(lambda: answers[-1][0] == total, timeout=5000)
    assert not np.allclose(answers[-1][1], before), "the drawing is answered by the network that has just been trained"
    assert window.lab.state.network.value.source == "run mnist-cnn-1"
    assert "best" in window.panel.curves.best.text() and len(window.panel.mistakes.grid) > 0
    assert window.lab.store.get("mnist-cnn-1").status == "finished"


def test_the_drawing_is_classified_again_while_the_network_trains(window, qtbot):
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    use_few_images(window, 3000, ENDLESS)
    seen: list[int] = []
    window.lab.looking.looked.connect(lambda look: window.lab.training.is_active and seen.append(look.question.moment.step))
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: len(set(seen)) >= 4, timeout=60_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=30_000)


def test_pause_go_on_stop_and_more(window, qtbot):
    use_few_images(window, 2000, ENDLESS)
    training = window.lab.training
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.TRAINING and training.last is not None, timeout=20_000)
    QTest.keyClick(window.panel, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: training.status is Status.PAUSED, timeout=10_000)
    assert window._actions["toggle"].text() == "Go on"
    step = training.session.trainer.step
    qtbot.wait(150)
    assert training.session.trainer.step == step, "paused is paused"
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.session.trainer.step > step, timeout=10_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: training.status is Status.IDLE, timeout=30_000)
    stopped_at = training.session.trainer.step
    run = window.lab.store.list()[0]
    assert run.status == "stopped" and run.steps == stopped_at and window.lab.store.weights_of(run).exists()
    window._actions["more"].trigger()
    qtbot.waitUntil(lambda: training.session.trainer.step > stopped_at, timeout=20_000)
    assert len(window.lab.store.list()) == 1, "it is the same run that goes on"


def test_the_slider_moves_everything_to_another_moment(window, qtbot):
    draw(window.panel.canvas, ONE)
    use_few_images(window)
    train(qtbot, window)
    qtbot.waitUntil(lambda: window.probe.look.question.moment.step == window.lab.state.timeline[-1].step, timeout=5000)
    slider = window.time_bar.slider
    assert slider.isEnabled() and slider.maximum() == len(window.lab.state.timeline) - 1 == slider.value()
    slider.setValue(0)
    assert window.lab.state.moment.value.step == 0
    qtbot.waitUntil(lambda: window.probe.look.question.moment.step == 0, timeout=5000)
    window.show_panel("inspect")
    filters = bring(window.panel, FiltersCard)
    qtbot.waitUntil(lambda: filters.weight is not None, timeout=5000)
    weights = filters.weight.copy()
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert window.lab.state.moment.value.step == window.lab.state.timeline[1].step
    qtbot.waitUntil(lambda: not np.array_equal(weights, filters.weight), timeout=5000)


def test_the_learning_rate_changes_while_it_trains(window, qtbot):
    use_few_images(window, 3000, ENDLESS)
    panel, training = window.panel_named("train"), window.lab.training
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: training.last is not None, timeout=20_000)
    assert not panel.recipe.fields["optimizer"].isEnabled() and panel.recipe.fields["learning_rate"].isEnabled()
    panel.recipe.fields["learning_rate"].setValue(0.0002)
    qtbot.waitUntil(lambda: training.last.learning_rate == 0.0002, timeout=10_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not training.is_active, timeout=30_000)


def test_the_form_edits_the_recipe_and_shows_it(window):
    form, state = window.panel_named("train").recipe, window.lab.state
    form.fields["optimizer"].setCurrentText("sgd")
    form.fields["batch_size"].setValue(64)
    form.limit.setValue(500)
    form.fields["validation"].setValue(20)
    config = state.recipe.value.config
    assert (config.optimizer, config.batch_size, config.validation, state.recipe.value.limit) == ("sgd", 64, 0.2, 500)
    form.fields["validation"].setValue(16.7)
    assert state.recipe.value.config.validation == 1 / 6, "what the form shows as 16.7 % is the preset's sixth"
    form.limit.setValue(0)
    state.change_recipe(epochs=12, seed=5)
    assert (form.fields["epochs"].value(), form.fields["seed"].value(), form.fields["batch_size"].value()) == (12, 5, 64)
    assert state.recipe.value.limit is None and state.recipe.value.config.batch_size == 64
    form.preset.setCurrentIndex(form.preset.findData("mlp"))
    assert (
        state.recipe.value.network == "mlp"
        and form.fields["optimizer"].currentText() == "momentum"
        and form.fields["seed"].value() == 5
    )


def test_figures_are_typed_into_the_form_as_they_are(window):
    window.show_panel("train")
    form, state = window.panel.recipe, window.lab.state
    for box, text in (
        (form.fields["batch_size"], "12345"),
        (form.limit, "54321"),
        (form.fields["validation"], "29.5"),
        (form.fields["seed"], "1234567"),
    ):
        box.selectAll()
        QTest.keyClicks(box, text)
    config = state.recipe.value.config
    assert (config.batch_size, state.recipe.value.limit, config.validation, config.seed) == (12345, 54321, 0.295, 1234567)


def test_data_shows_filters_and_finds_images(window, qtbot):
    window.show_panel("data")
    panel, browser, data = window.panel, window.panel.browser, window.lab.state.data.value.train
    assert len(panel.gallery) == len(data) == 10_000
    browser.classes.setCurrentIndex(4)
    assert len(panel.gallery) == data.class_counts()[3]
    assert {data.labels[i] for i in browser.shown} == {3}
    browser.search.setText("1,234")
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    probe = window.lab.state.probe.value
    assert np.array_equal(probe.picture, data.images[1234]) and probe.label == data.labels[1234] and probe.kind is Kind.DATASET
    browser.search.setText("99999")
    QTest.keyClick(browser.search, Qt.Key.Key_Return)
    assert "There is no image 99999" in browser.facts.text()
    browser.part.setCurrentIndex(1)
    assert len(panel.gallery) == len(window.lab.state.data.value.test)


def test_an_image_of_the_data_becomes_the_probe_of_every_panel(window, qtbot):
    window.show_panel("data")
    window.panel.gallery.choose(7)
    image = window.lab.state.data.value.train.images[7]
    qtbot.waitUntil(lambda: window.probe.look is not None and window.probe.look.digit is not None, timeout=5000)
    assert np.array_equal(window.probe.picture.pixels, image), "an image of the data is shown to the network as it is"
    window.show_panel("recognise")
    assert window.panel.sheet_card.views.currentWidget() is window.panel.photo
    window._actions["draw"].trigger()
    assert window.panel.sheet_card.views.currentWidget() is window.panel.canvas


def test_a_dataset_that_is_not_there_is_explained_and_nothing_is_lost(window, qtbot):
    before = window.lab.state.data.value
    window.show_panel("data")
    window.lab.opener.open_data("mnist")
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert "train-images-idx3-ubyte" in window.panel.notice.message.text()
    assert window.lab.state.data.value is before


def test_a_picture_is_dropped_pasted_and_opened(window, qtbot, tmp_path, monkeypatch):
    data = synthetic("test", 40)
    index = int(np.flatnonzero(data.labels == 0)[0])
    paper = 255 - np.kron(data.images[index, ..., 0], np.ones((6, 6), np.uint8))
    path = tmp_path / "zero.png"
    Image.fromarray(paper).save(path)
    drop(window, path)
    answered(qtbot, window, 0)
    assert window.lab.state.probe.value.origin == "zero.png"
    QGuiApplication.clipboard().setImage(to_qimage(paper))
    window._actions["draw"].trigger()
    answered(qtbot, window, None)
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    answered(qtbot, window, 0)
    assert window.lab.state.probe.value.origin == "pasted picture"
    window._actions["draw"].trigger()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    window._actions["open_picture"].trigger()
    answered(qtbot, window, 0)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_bad_picture_leaves_drawing_and_network_as_they_were(window, qtbot, tmp_path, content):
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    probe, network, pixels = window.lab.state.probe.value, window.lab.state.network.value, window.panel.canvas.pixels()
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    drop(window, path)
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert "bad.png" in window.panel.notice.message.text() and "Traceback" not in window.panel.notice.message.text()
    assert window.lab.state.probe.value is probe and window.lab.state.network.value is network
    assert np.array_equal(window.panel.canvas.pixels(), pixels)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.panel.notice.isVisible()


def test_bad_weights_leave_the_network_as_it_was(window, qtbot, tmp_path):
    network, moment = window.lab.state.network.value, window.lab.state.moment.value
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\0" * 100)
    drop(window, path)
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert str(path) in window.panel.notice.message.text()
    assert window.lab.state.network.value is network and window.lab.state.moment.value is moment


def test_weights_are_saved_and_opened_again(window, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    window._actions["save_weights"].trigger()
    network, info = load_weights(path)
    assert info["network"] == "mnist-cnn" and np.array_equal(
        network.state_dict()["conv1.weight"], window.lab.state.moment.value.state["conv1.weight"]
    )
    blank = Network.from_config(network.config(), seed=9)
    save_weights(path, blank, {"network": "other"})
    drop(window, path)
    qtbot.waitUntil(lambda: window.lab.state.network.value.name == "other", timeout=5000)
    assert window.lab.state.network.value.source == "mine.safetensors"


def test_a_correction_is_kept_as_a_picture(window, qtbot, isolated):
    draw(window.panel.canvas, FIVE)
    answered(qtbot, window, 5)
    with qtbot.waitSignal(window.lab.own_digits.changed, timeout=5000):
        QTest.keyClick(window.panel.canvas, Qt.Key.Key_7)
    (kept,) = (isolated / "my_digits" / "7").glob("*.png")
    assert np.array_equal(np.array(Image.open(kept)), window.probe.look.digit.image[..., 0])


def test_nothing_to_correct_keeps_nothing(window, qtbot, isolated):
    QTest.keyClick(window.panel.canvas, Qt.Key.Key_7)
    qtbot.wait(50)
    assert not (isolated / "my_digits").exists()


def test_runs_are_listed_looked_at_and_deleted(window, qtbot, monkeypatch):
    use_few_images(window, 300, 1)
    train(qtbot, window)
    window.lab.opener.open_default()
    qtbot.waitUntil(lambda: window.lab.state.network.value.source == "shipped", timeout=5000)
    panel = choose(qtbot, window, "mnist-cnn-1")
    assert [run.status for run in panel.table.rows.runs] == ["finished"]
    panel.buttons.look.click()
    qtbot.waitUntil(lambda: window.lab.state.network.value.source == "run mnist-cnn-1", timeout=5000)
    window.lab.training.session = None  # as after a new start: the run of a session in view is not deleted
    panel.buttons.refresh()
    monkeypatch.setattr("app.panels.runs.actions.confirmed", lambda *_: True)
    panel.buttons.delete.click()
    qtbot.waitUntil(lambda: window.lab.run_table.runs == (), timeout=5000)
    assert window.lab.store.list() == [] and not panel.table.isVisible()


def test_an_epoch_more_is_one_of_the_run_in_view(window, qtbot):
    use_few_images(window, 300, 1)
    train(qtbot, window)
    more, training = window._actions["more"], window.lab.training
    assert more.text() == "+1 epoch of mnist-cnn-1" and "+1 epoch of mnist-cnn-1" in window.time_bar._buttons["more"].toolTip()
    before = training.trained
    window.lab.opener.open_default()
    qtbot.waitUntil(lambda: window.lab.state.network.value.source == "shipped", timeout=5000)
    assert not more.isEnabled() and "came without its training" in more.toolTip()
    window.lab.opener.open_run(window.lab.store.get("mnist-cnn-1"))
    assert window.lab.state.run.value is before and len(before.timeline) > 1, "with the moments that it had"
    more.trigger()
    qtbot.waitUntil(lambda: training.is_active, timeout=5000)
    qtbot.waitUntil(lambda: not training.is_active, timeout=60_000)
    last = training.last.step
    assert window.lab.state.network.value.source == "run mnist-cnn-1" and window.lab.state.moment.value.step == last
    assert {moment.step <= last for moment in window.lab.state.timeline} == {True}, "no moment of the network before"


def test_the_keyboard_goes_from_the_slider_to_the_button_that_pauses(window, qtbot):
    use_few_images(window, 300, 1)
    train(qtbot, window)
    bar = window.time_bar
    bar.slider.setFocus()
    assert bar.slider.hasFocus()
    window._actions["more"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.is_active, timeout=5000)
    assert not bar.slider.isEnabled() and bar._buttons["toggle"].hasFocus()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=60_000)


def test_start_without_data_says_what_to_do(window):
    window.lab.state.data.set(None)
    window._actions["toggle"].trigger()
    assert "Data panel" in window.panel.notice.message.text() and window.lab.training.status is Status.IDLE


def test_only_networks_that_take_the_data_are_offered(window, qtbot):
    window.lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    box = window.panel_named("train").recipe.preset
    form = window.panel_named("train").recipe
    assert box.name == "svhn-lenet" and form.fields["batch_size"].value() == 64, "a network that fits is chosen"
    offered = {box.itemData(row): box.model().item(row) for row in range(box.count())}
    fitting = [name for name, item in offered.items() if item.isEnabled()]
    assert set(fitting) == {name for name, preset in PRESETS.items() if preset.fits((32, 32, 3))}
    assert list(offered)[: len(fitting)] == fitting, "what does not fit stands below"
    assert "28×28×1" in offered["kaggle-cnn"].text() and "this data is 32×32×3" in offered["kaggle-cnn"].toolTip()


def test_a_network_that_does_not_fit_the_data_is_explained_and_stays(window, qtbot):
    window.lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    state = window.lab.state
    state.recipe.set(state.recipe.value.with_network("kaggle-cnn"))
    window._actions["toggle"].trigger()
    said = window.panel.notice.message.text()
    assert "kaggle-cnn takes 28×28×1; this data is 32×32×3" in said and "svhn-lenet" in said
    assert not window.lab.training.is_active and state.recipe.value.network == "kaggle-cnn", "nothing was changed unasked"


def test_a_recipe_that_other_data_does_not_fit_is_changed_aloud(window, qtbot):
    with qtbot.waitSignal(window.lab.said) as said:
        window.lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    assert "mnist-cnn takes 28×28×1" in said.args[0] and "svhn-lenet" in said.args[0]


def test_the_theme_changes_live_and_is_remembered(window):
    for name in ("light", "dark"):
        window.set_theme(name)
        shot = window.grab().toImage()
        ground = shot.pixelColor(window.width() // 2, window.top_bar.height() + 6)
        assert ground.name() == theme().colors.background and window.lab.settings["theme"] == name


def test_layout_panel_and_data_come_back(make_window, qtbot):
    first = make_window()
    first.resize(1000, 650)  # the offscreen screen is 800 pixels high
    first.show_panel("data")
    first._dock.hide()
    first.close()
    second = make_window()
    assert second.panel_name == "data" and not second._dock.isVisible() and second.height() == 650
    second._actions["reset_layout"].trigger()
    assert second._dock.isVisible()


def test_closing_while_it_trains_keeps_what_was_trained(make_window, qtbot):
    window = make_window()
    use_few_images(window, 3000, ENDLESS)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None, timeout=20_000)
    window.close()
    (run,) = window.lab.store.list()
    assert run.status == "stopped" and run.steps > 0 and window.lab.store.weights_of(run).exists()


def test_space_starts_and_pauses_from_every_panel(window, qtbot):
    use_few_images(window, 2000, ENDLESS)
    training = window.lab.training
    for spec in PANELS:
        window.show_panel(spec.name)
        before = training.status
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
        wanted = (Status.PAUSED,) if before is Status.TRAINING else (Status.TRAINING,)
        qtbot.waitUntil(lambda wanted=wanted: training.status in wanted, timeout=30_000)
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not training.is_active, timeout=30_000)


def test_the_window_is_no_larger_than_the_screen(window):
    room = QGuiApplication.primaryScreen().availableGeometry()
    assert window.width() <= max(room.width(), window.minimumWidth()) and window.height() <= room.height()


def test_space_presses_the_button_in_focus_instead_of_starting(window, qtbot):
    window.show_panel("inspect")
    box = window.panel.network.every
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert box.isChecked() and window.lab.training.status is Status.IDLE


def test_every_control_has_a_name_and_every_action_an_explanation(window):
    for kind in (QAbstractButton, QComboBox, QSlider):
        for control in window.findChildren(kind):
            if control.isVisibleTo(window) and not control.objectName().startswith("qt_"):
                text = control.text() if isinstance(control, QAbstractButton) else ""
                assert control.accessibleName() or text, control
    for name, action in window._actions.items():
        assert action.text() and action.toolTip(), name


def test_presets_are_all_offered(window):
    box = window.panel_named("train").recipe.preset
    assert {box.itemData(i) for i in range(box.count())} == set(PRESETS)


def test_a_stroke_is_answered_while_it_is_drawn(window, qtbot):
    canvas = window.panel.canvas
    sheet = canvas.sheet()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=sheet.center() - QPoint(0, 100))
    for step in range(20):
        QTest.mouseMove(canvas, sheet.center() + QPoint(0, step * 10 - 100))
    answered(qtbot, window, 1)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=sheet.center() + QPoint(0, 100))


def test_an_uncaught_defect_is_shown_and_the_window_lives_on(window, qtbot):
    try:
        raise RuntimeError("a defect")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "a defect" in window.panel.notice.message.text() and window.isVisible()


def test_a_probe_that_fits_no_network_is_explained(window, qtbot):
    network = Network.from_config(
        {"input_shape": [8, 8, 1], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10}]}
    )

    window.lab.state.probe.set(Probe(np.full((50, 50, 1), 7, np.uint8), "a picture"))
    window.lab.state.show_network(NetworkInView.of(network, "tiny", "a test"), Moment(0, network.state_dict()))
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=5000)
    assert "8×8×1" in window.panel.notice.message.text()


def test_frames_stay_short_while_it_trains(window, qtbot):
    """Nothing here depends on the machine's speed: the interface thread must come round while a training runs."""
    use_few_images(window, 2000, ENDLESS)
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None, timeout=20_000)
    rounds, until = 0, time.monotonic() + 10.0
    while rounds < 50 and time.monotonic() < until:
        QGuiApplication.processEvents()
        rounds += 1
    assert rounds == 50 and window.lab.training.is_active
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=30_000)


def test_a_closer_look_steps_through_the_gallery_and_comes_back(window, qtbot):
    window.show_panel("data")
    panel, data = window.panel, window.lab.state.data.value.train
    panel.browser.classes.setCurrentIndex(8)
    panel.gallery.setFocus()
    panel.gallery.choose(3)
    QTest.keyClick(panel.gallery, Qt.Key.Key_Return)
    sevens = np.flatnonzero(data.labels == 7)
    assert panel.closer.isVisible() and np.array_equal(panel.closer.view.pixels, data.images[sevens[3]])
    QTest.keyClick(panel.closer.view, Qt.Key.Key_Period)
    assert np.array_equal(panel.closer.view.pixels, data.images[sevens[4]])
    assert np.array_equal(window.lab.state.probe.value.picture, data.images[sevens[4]]), "what is looked at is the probe"
    QTest.keyClick(panel.closer.view, Qt.Key.Key_PageUp)
    QTest.keyClick(panel.closer.view, Qt.Key.Key_Escape)
    assert panel.gallery.isVisible() and panel.gallery.current == 3


@pytest.mark.parametrize(("key", "name"), [(Qt.Key.Key_I, "inspect"), (Qt.Key.Key_R, "recognise")])
def test_an_image_is_sent_to_another_panel(window, qtbot, key, name):
    window.show_panel("data")
    panel, data = window.panel, window.lab.state.data.value.train
    panel.gallery.choose(11)
    QTest.keyClick(panel.gallery, key)
    assert window.panel_name == name and np.array_equal(window.lab.state.probe.value.picture, data.images[11])


def test_the_mean_image_of_each_class_is_there_and_filters(window, qtbot):
    window.show_panel("data")
    browser, data = window.panel.browser, window.lab.state.data.value.train
    qtbot.waitUntil(lambda: browser.balance.mean_of(0) is not None, timeout=10_000)
    for digit in (0, 7):
        expected = data.images[data.labels == digit].mean(axis=0)
        np.testing.assert_allclose(browser.balance.mean_of(digit), expected, atol=1e-3)
    browser.balance.choose(7)
    assert browser.classes.currentText() == "7" and len(browser.grid) == data.class_counts()[7]
    browser.balance.choose(7)
    assert len(browser.grid) == len(data)


def test_panels_are_built_before_they_are_asked_for(make_window, qtbot, monkeypatch):
    monkeypatch.setattr(Window, "prepare_panels", PREPARE_PANELS)
    window = make_window()
    qtbot.waitUntil(lambda: window._panels.keys() == {panel.name for panel in PANELS}, timeout=20_000)
    assert window.panel_name == "recognise"


def test_no_panel_is_built_while_somebody_draws(make_window, qtbot, monkeypatch):
    monkeypatch.setattr(Window, "prepare_panels", PREPARE_PANELS)
    monkeypatch.setattr("app.window.UNTOUCHED", 3.0)  # far longer than from one change to the next
    window = make_window()
    built = set(window._panels)
    for _ in range(5):
        window.lab.state.probe.set(Probe(np.zeros((28, 28, 1), np.uint8)))
        qtbot.wait(100)
        assert set(window._panels) == built
    qtbot.waitUntil(lambda: len(window._panels) == len(PANELS), timeout=20_000)


def test_the_shelf_lists_every_dataset_whenever_it_is_built(make_window, qtbot, monkeypatch):
    monkeypatch.setitem(catalogue.IN_CODE, "synthetic-street", lambda split: synthetic_street(split, 40))
    window = make_window()
    qtbot.waitUntil(lambda: len(window.lab.library.known) > 0, timeout=10_000)
    assert "data" not in window._panels
    window.show_panel("data")
    qtbot.waitUntil(lambda: {"mnist", "svhn", "synthetic"} <= set(window.panel.shelf.cards), timeout=10_000)
    window.panel.shelf.cards["synthetic-street"].setFocus()
    QTest.keyClick(window.panel.shelf.cards["synthetic-street"], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.lab.state.data.value.spec == "synthetic-street", timeout=20_000)


def test_other_data_does_not_change_what_is_being_trained(window, qtbot):
    use_few_images(window, 2000, ENDLESS)
    recipe = window.panel_named("train").recipe
    window._actions["toggle"].trigger()
    qtbot.waitUntil(lambda: window.lab.training.last is not None, timeout=60_000)
    window.lab.training.toggle_pause()
    qtbot.waitUntil(lambda: window.lab.training.status is Status.PAUSED, timeout=10_000)
    window.lab.state.data.set(DataInView("synthetic-street", synthetic_street("train", 40), None))
    assert recipe.preset.name == "mnist-cnn" and recipe.fields["learning_rate"].value() == 0.001
    window._actions["stop"].trigger()
    qtbot.waitUntil(lambda: not window.lab.training.is_active, timeout=30_000)
    assert recipe.preset.name == "svhn-lenet", "now it may"


def test_a_network_for_any_size_is_offered_where_no_other_fits(window):
    window.lab.state.data.set(DataInView("wide", Dataset(np.zeros((9, 20, 64, 1), np.uint8), np.arange(9), "wide"), None))
    recipe = window.panel_named("train").recipe
    assert PRESETS[recipe.preset.name].fits((20, 64, 1))


def open_and_close(qapp, qtbot) -> tuple[weakref.ref, ...]:
    """What is left of a window in which every panel was looked at."""
    window = build_window(qapp)
    window.show()
    for panel in PANELS:
        window.show_panel(panel.name)
    qtbot.waitUntil(lambda: window.lab.state.data.value is not None, timeout=20_000)
    window.close()
    window.deleteLater()
    return weakref.ref(window), weakref.ref(window.lab)


def test_a_closed_window_leaves_nothing_behind(qapp, qtbot, monkeypatch):
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    gone = open_and_close(qapp, qtbot)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(each() for each in gone), timeout=10_000)
