"""Edits of layers that were not saved: they come back, whatever happened to the window."""

from __future__ import annotations

import pytest

from app.core.draft import Draft, keep_draft, read_draft
from app.core.in_view import DataInView
from app.core.layer_list import LayerList
from app.core.runs import RunStore
from app.core.settings import Settings
from app.lab import Lab
from app.panels.train import layer_editor
from app.panels.train.panel import TrainPanel
from nncore.data import synthetic
from nncore.errors import ConfigError

FIRST = LayerList.from_config({"input_shape": [28, 28, 1], "layers": [{"type": "Flatten"}, {"type": "Linear", "out_features": 10}]})
DRAFT = Draft("half done", "mlp", FIRST, FIRST.remove(1))
"""What cannot be saved as a network, since its last layer is gone."""


@pytest.fixture
def open_lab(qapp, themed, tmp_path):
    """Opens labs, one after the other, with the settings and runs of one user."""
    made: list[Lab] = []

    def open_one() -> Lab:
        made.append(Lab(Settings(tmp_path / "config"), RunStore(tmp_path / "runs")))
        made[-1].state.data.set(DataInView("synthetic", synthetic("train", 60), None))
        return made[-1]

    yield open_one
    for lab in made:
        lab.close()


def edited(lab: Lab, qtbot) -> TrainPanel:
    """A Train panel whose editor is open, all of its cards made."""
    panel = TrainPanel(lab)
    qtbot.addWidget(panel)
    panel.resize(920, 700)
    panel.show()
    panel._layers.edit.click()
    qtbot.waitUntil(lambda: panel.editor.column.isEnabled() and len(panel.editor.column.cards) > 0, timeout=5000)
    return panel


@pytest.mark.parametrize("draft", [DRAFT, Draft("", "tiny", FIRST, FIRST.insert(1, {"type": "ReLU"}), FIRST)])
def test_a_draft_comes_back_from_its_file(tmp_path, draft):
    path = tmp_path / "draft.json"
    keep_draft(path, draft)
    assert read_draft(path) == draft
    keep_draft(path, None)
    keep_draft(path, None)
    assert read_draft(path) is None


def test_what_was_edited_comes_back_at_the_next_start_and_can_be_saved_or_given_up(open_lab, qtbot, monkeypatch):
    lab = open_lab()
    panel = edited(lab, qtbot)
    panel.editor.name.setText("wide")
    panel.editor.column.cards[0].fields["out_channels"].setValue(24)
    assert panel._layers.edit.text() == "Go on editing…"
    lab.close()

    lab = open_lab()
    panel = edited(lab, qtbot)
    editor = panel.editor
    assert editor.name.text() == "wide" and editor.column.cards[0].fields["out_channels"].value() == 24
    assert editor.resumed.isVisible() and "began with mnist-cnn" in editor._of_last_time.words
    editor.undo_button.click()
    assert editor.column.cards[0].fields["out_channels"].value() == 16, "back to what it began with"
    editor.redo_button.click()
    monkeypatch.setattr(layer_editor, "confirmed", lambda *_: True)
    editor.anew.click()
    qtbot.waitUntil(editor.column.isEnabled, timeout=5000)
    assert not editor.resumed.isVisible() and editor.name.text() == "my-mnist-cnn" and not editor._edits.is_changed
    lab.close()
    assert open_lab().state.draft.value is None and not lab.settings.draft_file.exists()


def test_edits_are_on_the_disk_while_the_window_is_open(open_lab, qtbot):
    lab = open_lab()
    panel = edited(lab, qtbot)
    panel.editor.column.cards[0].fields["out_channels"].setValue(24)
    qtbot.waitUntil(lab.settings.draft_file.exists, timeout=5000)
    assert read_draft(lab.settings.draft_file).layers == panel.editor._edits.present
    panel.editor.name.setText("kept")
    with qtbot.waitSignal(panel.editor.closed, timeout=5000):
        panel.editor.save.click()
    qtbot.waitUntil(lambda: not lab.settings.draft_file.exists(), timeout=5000)


def test_a_damaged_draft_is_said_once_and_set_aside(open_lab):
    lab = open_lab()
    lab.settings.draft_file.parent.mkdir(parents=True, exist_ok=True)
    lab.settings.draft_file.write_bytes(DRAFT.as_json().replace(b"Flatten", b"Flat"))
    lab = open_lab()
    assert lab.state.draft.value is None and lab.settings.draft_file.with_suffix(".damaged.json").exists()
    assert len(lab.settings.damage) == 1 and "edits of layers of the last time" in lab.settings.damage[0]
    assert open_lab().settings.damage == []


def test_a_disk_that_refuses_a_draft_is_told_once(open_lab, qtbot):
    lab = open_lab()
    lab.settings.draft_file.mkdir(parents=True)
    told: list[str] = []
    lab.problem.connect(lambda problem: told.append(problem.message))
    panel = edited(lab, qtbot)
    for channels in (24, 25):
        panel.editor.column.cards[0].fields["out_channels"].setValue(channels)
        lab.drafts._timer.setInterval(0)
        qtbot.waitUntil(lambda: lab.drafts._is_late and not (lab.drafts._is_busy or lab.drafts._timer.isActive()))
    assert len(told) == 1 and "end with the window" in told[0]


def test_a_file_that_says_too_much_is_no_draft(tmp_path):
    path = tmp_path / "draft.json"
    many = LayerList.from_config({"input_shape": [28, 28, 1], "layers": [{"type": "ReLU"}] * 121})
    for content in (Draft("", "mlp", FIRST, many).as_json(), b"[" * 100_000, b" " * 2**20):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"cannot be shown.*damaged\.json"):
            read_draft(path)
