"""A drawing is kept as its strokes: it comes back as it was drawn, and undo takes back the last of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.core import last_time
from app.core.drawing import MOST_POINTS, as_json, digest, read_drawing
from app.stroke import HEIGHT, Stroke
from nncore.errors import DataError
from tests.app.conftest import FIVE, ONE, draw

LEFT, RIGHT = (tuple((0.42 * x + place, 0.42 * y + 0.3) for x, y in shape) for shape, place in ((FIVE, 0.0), (ONE, 0.5)))
"""A 5, and a 1 beside it."""
SETTINGS = {"probe": {"origin": "drawing", "label": None, "kind": "drawing"}}


def answered(window, qtbot):
    """The look at the present probe, once there is a digit on it."""

    def is_looked_at() -> bool:
        look = window.probe.look
        return look is not None and look.question.probe is window.lab.state.probe.value and look.digit is not None

    qtbot.waitUntil(is_looked_at, timeout=20_000)
    return window.probe.look


def test_a_drawing_comes_back_with_its_pixels_its_answer_and_its_strokes(make_window, qtbot):
    first = make_window()
    draw(first.panel.canvas, LEFT)
    one_stroke = first.lab.state.probe.value.picture
    draw(first.panel.canvas, RIGHT)
    two_strokes = first.lab.state.probe.value.picture
    said = answered(first, qtbot)
    first.close()
    second = make_window()
    look, state, canvas = answered(second, qtbot), second.lab.state, second.panel.canvas
    assert np.array_equal(state.probe.value.picture, two_strokes) and np.array_equal(canvas.pixels(), two_strokes)
    assert len(look.digits) == 2
    for now, before in zip(look.digits, said.digits, strict=True):
        assert now.box == before.box and np.array_equal(now.answer.probabilities, before.answer.probabilities)
    second.lab.undo()
    assert np.array_equal(state.probe.value.picture, one_stroke) and np.array_equal(canvas.pixels(), one_stroke)
    second.lab.redo()
    assert np.array_equal(canvas.pixels(), two_strokes)
    second.lab.undo()
    draw(canvas, RIGHT)
    assert np.array_equal(canvas.pixels(), two_strokes), "one draws on where one stopped"
    for _ in range(2):
        second.lab.undo()
    assert state.probe.value.picture is None and canvas.is_blank


def test_the_digit_that_was_chosen_is_chosen_again(make_window, qtbot):
    first = make_window()
    for shape in (LEFT, RIGHT):
        draw(first.panel.canvas, shape)
    answered(first, qtbot)
    first.lab.state.choose(1)
    first.close()
    second = make_window()
    answered(second, qtbot)
    assert second.lab.state.chosen.value == 1 and second.panel.reading.chosen.index == 1


@pytest.mark.parametrize("damaged", [-1, "1", True, 1.0, [1], None])
def test_a_choice_that_makes_no_sense_is_none(lab, damaged):
    lab.settings["probe"] = SETTINGS["probe"] | {"chosen": damaged}
    assert last_time.kept_choice(lab.settings) is None


def test_undo_goes_back_by_so_many_strokes_of_the_last_time_and_no_more(lab, monkeypatch):
    monkeypatch.setattr(last_time, "MOST_UNDONE", 2)
    strokes = [Stroke(False, HEIGHT, [(10.0 * n, 20.0)], [9.0]) for n in range(4)]
    lab.settings.write(lab.settings.drawing_file, as_json(strokes))
    lab.settings["probe"] = SETTINGS["probe"]
    pictures = [np.full((HEIGHT, HEIGHT, 1), n, np.uint8) for n in range(1, 5)]
    probes = last_time.kept_probes(lab.settings, lambda _: pictures)
    assert [(len(each.strokes), int(each.picture[0, 0, 0])) for each in probes] == [(2, 2), (3, 3), (4, 4)]


def test_a_drawing_of_too_many_strokes_comes_back_as_a_picture(lab):
    assert as_json([Stroke(False, HEIGHT, [(1.0, 2.0)] * (MOST_POINTS + 1), [9.0] * (MOST_POINTS + 1))]) is None
    whole = [Stroke(True, HEIGHT, [(1 / 3, -2 / 7)] * MOST_POINTS, [0.1 + 0.2] * MOST_POINTS)]
    lab.settings.write(lab.settings.drawing_file, as_json(whole))
    (read,) = read_drawing(lab.settings.drawing_file)
    assert (read.points, read.widths, read.erases) == (whole[0].points, whole[0].widths, True), "to the last digit"


POINT = [1.0, 2.0, 9.0]


def drawing(**changed: object) -> dict[str, object]:
    sound = {"format": "digitlab-drawing/1", "sheet": HEIGHT, "strokes": [{"erases": False, "points": [POINT]}]}
    found = {name: value for name, value in (sound | changed).items() if value is not None}
    return found | {"sha256": digest(found)}


def stroke(*points: object, erases: object = False) -> dict[str, object]:
    return drawing(strokes=[{"erases": erases, "points": list(points)}])


@pytest.mark.parametrize(
    "kept",
    [
        b"", b"[1]", b"\xff", b'{"format":', b"[" * 100_000, b" " * (2**21 + 1), drawing(format="another/1"), drawing(sheet=None),
        drawing(surplus=1), drawing(sheet=10), drawing(sheet=10**9), drawing(sheet=True), drawing(sheet=500.0), drawing(strokes=[]),
        drawing(strokes={}), drawing(strokes=[3]), drawing(strokes=[{"erases": False, "points": [POINT]}] * 1001), stroke(),
        stroke(POINT, erases=1), stroke([1.0, 2.0]), stroke([1.0, 2.0, 0.0]), stroke([1.0, 2.0, 1e4]), stroke([1.0, 1e7, 9.0]),
        stroke([1.0, "2", 9.0]), stroke([10**400, 2.0, 9.0]), stroke(7), stroke(*[POINT] * (MOST_POINTS + 1)),
        b'{"format": "digitlab-drawing/1", "sheet": 336, "strokes": [{"erases": false, "points": [[NaN, 1, 2]]}]}',
    ],
)  # fmt: skip
def test_a_drawing_that_is_damaged_is_refused(kept, tmp_path):
    path = tmp_path / "drawing.json"
    path.write_bytes(kept if isinstance(kept, bytes) else json.dumps(kept).encode())
    with pytest.raises(DataError, match="makes no sense"):
        read_drawing(path)


def test_a_drawing_of_an_earlier_version_has_no_digest_and_is_read(tmp_path):
    path = tmp_path / "drawing.json"
    path.write_text(json.dumps({name: value for name, value in drawing().items() if name != "sha256"}))
    (read,) = read_drawing(path)
    assert read.points == [(1.0, 2.0)]


def test_every_damaged_byte_of_a_drawing_is_noticed(tmp_path):
    path = tmp_path / "drawing.json"
    path.write_text(json.dumps(stroke(POINT, [3.5, 4.25, 9.0])))
    (read,) = read_drawing(path)
    assert read.points == [(1.0, 2.0), (3.5, 4.25)], "what is refused above is not refused for its digest"
    content = path.read_bytes()
    for at in range(len(content)):
        for bit in (1, 2, 4, 8, 16, 32, 64, 128):
            path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            with pytest.raises(DataError):
                read_drawing(path)


def test_a_drawing_that_is_damaged_or_gone_is_told_in_one_line(make_window, tmp_path, qtbot):
    folder = tmp_path / "config" / "digitlab"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    window = make_window()
    qtbot.waitUntil(window.panel.notice.isVisible, timeout=20_000)
    words = window.panel.notice.message.text()
    assert words.startswith("The picture of the last time is not shown: ") and "drawing.json cannot be read" in words
    assert window.lab.state.probe.value.picture is None and "\n" not in words
