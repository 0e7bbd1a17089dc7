"""The map of digits while the network is changed: the digit that is looked at stays, where the changed network puts it."""

from __future__ import annotations

import numpy as np

from app.core.edits import NO_EDITS
from app.core.look import LAYERS, Looker, Question
from app.core.probe import Kind, Probe
from nncore.explain.ablation import Silent
from tests.app.test_map_card import card, few_images, network

__all__ = ["card", "few_images", "network"]


def test_the_digit_moves_with_what_is_switched_off(card, lab):
    found, looker = card.map.found, Looker()
    image = found.wanted.images.images[found.wanted.indices[5]]

    def look(edits):
        probe = Probe(image, kind=Kind.DATASET)
        return looker.look(Question(lab.state.network.value, lab.state.moment.value, probe, frozenset({LAYERS}), edits=edits))

    changed = look(NO_EDITS.plus(Silent("conv2", None)))
    card.map.show_look(changed)
    assert not changed.results[LAYERS]["relu2"].any()
    np.testing.assert_allclose(card.map.scatter.marked, found.place(changed.results[LAYERS]["relu3"]))
    assert np.abs(card.map.scatter.marked - found.positions[5]).max() > 1 and "changed network" in card.map.line.words
    card.map.show_look(look(NO_EDITS))
    np.testing.assert_allclose(card.map.scatter.marked, found.positions[5], atol=1e-3)
    assert "changed network" not in card.map.line.words
