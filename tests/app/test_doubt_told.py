"""What is not sure, and what is no digit, is told as such: by `digitlab predict`, the probe dock and the ticked runs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.commands.predict import _words
from app.core.look import Look, Looker
from app.core.probe import Kind, Probe
from benchmarks.held_out_shapes import DRAWINGS
from benchmarks.strange_pictures import shown
from models.shipped import open_weights
from nncore.data import synthetic
from nncore.recognition import Verdict
from tests.app.command import digitlab, lines
from tests.app.test_look import question
from tests.nncore.test_verdicts import digit


@pytest.fixture(scope="module")
def sun() -> np.ndarray:
    return shown([DRAWINGS["sun"]], np.random.default_rng(1)).picture


def test_predict_tells_a_drawing_from_a_digit(tmp_path, sun):
    data = synthetic("test", 30)
    zero = Image.fromarray(data.images[int(np.flatnonzero(data.labels == 0)[0]), ..., 0]).resize((140, 120))
    zero.save(tmp_path / "zero.png")
    Image.fromarray(sun.squeeze()).save(tmp_path / "sun.png")
    drawing, written = lines(digitlab("predict", "--json", tmp_path / "sun.png", tmp_path / "zero.png"))
    assert drawing["digits"] == [] and drawing["lines"] == [] and drawing["no_digits"] >= 1
    (found,) = written["digits"]
    assert found["sure"] and found["likeliest"][0] == found["digit"] == 0 and len(found["likeliest"]) == 2
    assert written["no_digits"] == 0
    (single,) = lines(digitlab("predict", "--single", "--json", tmp_path / "sun.png"))
    assert single["digit"] is None and single["no_digits"] == 1 and not single["sure"]
    assert digitlab("predict", tmp_path / "sun.png").stdout.strip().endswith("sun.png: no digit")


def test_words_name_the_two_likeliest_where_the_answer_is_not_sure():
    nothing, seven, unsure = digit(8, likeness=0.0), digit(7, 0.99), digit(1, 0.62)
    assert _words([]) == "no digit found" and _words([nothing]) == "no digit"
    assert _words([seven]) == "7 (99.00 %)" and _words([unsure]) == "not sure: 1 or 0 (62.00 %)"
    assert _words([seven, seven, unsure]) == "771 (not sure: the 1 of line 1 may be 0, 62.00 %)"
    assert _words([seven, nothing, seven]) == "77 (the 7 of line 1 is the least sure, 99.00 %), and 1 that is no digit"


def test_the_dock_says_sure_not_sure_or_no_digit(window):
    dock, probe = window.probe, Probe(synthetic("test", 1).images[0], kind=Kind.DATASET)
    asked = question(open_weights("mnist-cnn")[0], probe)
    for found, answer, words, best in (
        (digit(7, 0.99), "7", "99.0 % sure", 7),
        (digit(7, 0.6), "7", "not sure: 7 or 0", 7),
        (digit(7, 0.99, likeness=0.3), "7", "not sure: 7 or 0", 7),
        (digit(7, 0.99, likeness=0.0), "–", "no digit", None),
    ):
        window.lab.looking.looked.emit(Look(asked, (found,)))
        assert dock.answer.text() == answer and dock.words.words == words
        assert (int(dock.bars.values.argmax()) if dock.bars.values.any() else None) == best
        assert ("palette(" in dock.answer.styleSheet()) is (found.verdict is not Verdict.SURE), "pale unless it is sure"
        assert all(button.isEnabled() for button in dock._digits), "whoever wrote it may say what it is"


def test_images_of_a_dataset_are_not_refused_and_drawings_are(sun):
    network, looker = open_weights("mnist-cnn")[0], Looker()
    drawn = looker.look(question(network, Probe(sun, kind=Kind.DRAWING if sun.shape[2] == 1 else Kind.PICTURE)))
    assert all(each.verdict is Verdict.NO_DIGIT for each in drawn.digits) and drawn.digit is drawn.digits[0]
    letters = Probe(drawn.digits[0].image, kind=Kind.DATASET)
    assert looker.look(question(network, letters)).digit.verdict is not Verdict.NO_DIGIT
