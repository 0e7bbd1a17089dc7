"""The legend of the loss while a training diverges."""

from __future__ import annotations

import numpy as np
import pytest

from app.panels.train.figures import loss_text


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (0.04219, "0.042"),
        (9999.0, "9999.000"),
        (1.234e30, "1.2e+30"),
        (np.float64("inf"), "∞"),
        (float("-inf"), "−∞"),
        (float("nan"), "not a number"),
    ],
)
def test_a_loss_is_short_whatever_it_is(loss, words):
    assert loss_text(loss) == words


def test_the_legend_fits_the_card_where_losses_are_huge(window, qtbot):
    window.resize(1280, 800)
    window.show_panel("train")
    curves = window.panel.curves
    for validation in (1.234e30, 0.5, float("nan")):
        curves.loss.set_data((np.arange(3.0), np.full(3, 3.4e38)), (np.arange(3.0), np.array([0.5, 0.5, validation])))
        curves._write_key()
        key = curves._key
        assert "training 3.4e+38" in key.words
        assert key.fontMetrics().horizontalAdvance(key.words) <= key.width()
