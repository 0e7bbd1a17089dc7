"""A network from elsewhere is opened in the window: how images are shown to it is said in words."""

from __future__ import annotations

import pytest

from app.lab import Lab
from models.shipped import open_weights
from nncore.exchange import load_onnx

pytest.importorskip("onnx", reason="onnx is not installed")


def test_a_network_from_elsewhere_is_opened_with_a_word_on_its_images_and_one_of_our_own_without(lab: Lab, qtbot, tmp_path):
    from nncore.exchange import save_onnx

    ours, foreign = tmp_path / "ours.onnx", tmp_path / "foreign.onnx"
    save_onnx(ours, open_weights("mnist-cnn")[0])
    foreign.write_bytes(ours.read_bytes().replace(b"\x12\x08digitlab", b"\x12\x08somebody", 1))
    assert load_onnx(ours)[1]["producer"] == "digitlab" and "producer" not in load_onnx(foreign)[1]
    told: list[str] = []
    lab.problem.connect(lambda problem: told.append(problem.message))
    for path in (foreign, ours):
        lab.opener.open_weights(str(path))
        qtbot.waitUntil(lambda path=path: lab.state.run.value is not None and lab.state.network.value.name == path.stem)
    assert len(told) == 1 and "digitlab import foreign.onnx --mean" in told[0]
