"""What a user says of a digit while the program has only just been started."""

from __future__ import annotations

from app.core.probe import Kind, Probe
from nncore.data import synthetic


def test_a_digit_that_is_corrected_before_the_first_look_is_kept(lab, qtbot, isolated):
    lab.opener.open_weights("mnist-cnn")
    qtbot.waitUntil(lambda: lab.state.network.value is not None, timeout=60_000)
    lab.state.probe.set(Probe(synthetic("test", 5).images[3], "an image", kind=Kind.DATASET))
    lab.correct(4)
    with qtbot.waitSignal(lab.own_digits.changed, timeout=60_000):
        lab.looking.start()
    assert [path.parent.name for path in isolated.glob("my_digits/*/*.png")] == ["4"]
