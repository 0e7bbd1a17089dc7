"""While Recognise is out of sight nothing is read there; what was looked at meanwhile is there when it comes back."""

from __future__ import annotations

from tests.app.conftest import FIVE, draw


def test_nothing_is_read_out_of_sight_and_all_of_it_is_there_afterwards(window, qtbot):
    panel, lab = window.panel_named("recognise"), window.lab
    window.show_panel("recognise")
    draw(panel.canvas, FIVE)
    drawing = lab.state.probe.value
    qtbot.waitUntil(lambda: panel.reading.reading.text == "5", timeout=60_000)
    lab.undo()
    qtbot.waitUntil(lambda: lab.looking.look.question.probe is lab.state.probe.value, timeout=60_000)
    window.show_panel("data")
    told: list[None] = []
    panel.reading.changed.connect(lambda: told.append(None))
    lab.state.probe.set(drawing)
    qtbot.waitUntil(lambda: lab.looking.look.question.probe is drawing, timeout=60_000)
    assert told == [] and panel.reading.reading.text == ""
    window.show_panel("recognise")
    assert panel.reading.reading.text == "5" and panel.text_card.counts.words == "1 sure"
    qtbot.waitUntil(lambda: [stage.title for stage in panel.stages_card.stages][-1:] == ["Centred"], timeout=60_000)
