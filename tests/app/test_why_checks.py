"""The checks that are shown beside a map: each passes for a map that is right, and fails for one that is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.why import METHODS, Explainer, WhyQuestion
from app.core.why_checks import check_of, check_step, in_brief, random_in_brief
from nncore.explain.sanity import SEEDS, check_random_weights
from nncore.explain.target import Target
from nncore.network import Network
from nncore.prediction import Predictor
from tests.app.test_why import look_of, network_of


def answer(name: str, with_random: bool = False):
    return Explainer().answer(WhyQuestion(look_of(network_of()), METHODS[name], 3, 8, with_random))


@pytest.mark.parametrize("name", ["Gradient", "Gradient × input", "Integrated gradients", "Occlusion"])
def test_the_map_that_is_shown_passes_its_check(name):
    why = answer(name)
    assert why.check.passed and in_brief(why.check, why.found).startswith("✓")


def test_integrated_gradients_tell_their_gap_in_per_cent():
    why = answer("Integrated gradients")
    assert why.check.value == why.found.gap
    assert in_brief(why.check, why.found) == f"✓ adds up, gap {why.found.gap * 100:.2f} %"


@pytest.mark.parametrize("name", ["Gradient × input", "Integrated gradients", "Occlusion"])
def test_a_map_that_is_a_tenth_too_large_fails(name):
    why = answer(name)
    found, predictor = why.found, Explainer().predictor(why.question.look)
    values = "drops" if name == "Occlusion" else "values"
    false = replace(found, **{values: getattr(found, values) * np.float32(1.1)})
    check = check_of(predictor, why.question.image, false, false.values if name == "Gradient × input" else None)
    assert not check.passed and in_brief(check, false).startswith("✗")


def test_a_picture_without_light_has_nothing_to_dim():
    why = answer("Gradient")
    black = np.zeros((14, 14, 1), np.uint8)
    check = check_step(Explainer().predictor(why.question.look), black, why.found, np.zeros((14, 14, 1), np.float32))
    assert check.passed and check.value == 0


def test_the_map_of_random_weights_is_that_of_the_same_layers_made_anew():
    why = answer("Gradient", with_random=True)
    config, image, find = network_of().config(), why.question.image, METHODS["Gradient"].find
    other = find(Predictor(Network.from_config(config, SEEDS[0])), image, Target(3, 8))
    assert np.array_equal(why.random, other.map) and not np.allclose(why.random, why.map)
    expected = check_random_weights(Explainer().predictor(why.question.look), image, Target(3, 8), find)
    assert why.random_check == expected and random_in_brief(expected).endswith(f"ρ {expected.value:.2f}")
