"""The race beside ONNX Runtime: both sides answer alike, what is compared with what, and what is said where it is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import vs_onnx
from benchmarks.cases import CASES
from benchmarks.contender import onnx_session
from nncore.network import Network
from nncore.prediction import Predictor

ONE_IMAGE = next(case for case in CASES if case.of_onnx and case.batch == 1)


def test_both_sides_give_the_same_answers() -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    images = np.random.default_rng(0).integers(0, 256, (3, *ONE_IMAGE.input_shape), np.uint8)
    given = images.transpose(0, 3, 1, 2) / np.float32(255)
    (theirs,) = onnx_session(ONE_IMAGE, 1).run(["logits"], {"input": given})
    ours = Predictor(Network(ONE_IMAGE.layers(), ONE_IMAGE.input_shape)).outputs(images)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_ratio_is_taken_within_a_round_to_the_same_threads_and_to_the_best() -> None:
    rates = {
        ("nncore", 1): [10.0, 20.0, 30.0], ("onnx", 1): [10.0, 10.0, 10.0],
        ("nncore", 2): [12.0, 24.0, 36.0], ("onnx", 2): [6.0, 24.0, 12.0],
    }  # fmt: skip
    one, two = vs_onnx.compare(ONE_IMAGE, rates)
    assert (one["threads"], one["ratio_to_onnx"], one["ratio_to_onnx_at_its_best"]) == (1, 2.0, 1.0)
    assert (two["threads"], two["ratio_to_onnx"], two["ratio_to_onnx_at_its_best"]) == (2, 2.0, 1.2)
    assert "ratio_to_torch" not in one and one["images_per_second"] == {"nncore": 20.0, "onnx": 10.0}


def test_it_is_skipped_by_name_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vs_onnx, "installed", lambda _: None)
    assert vs_onnx.main([]) == 0
    assert "Skipped: ONNX Runtime is not installed" in capsys.readouterr().out
