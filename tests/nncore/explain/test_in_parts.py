"""Methods that take long tell how far they are, and end with what they find at once."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.explain.integrated_gradients import integrated_gradients, integrated_gradients_in_parts
from nncore.explain.occlusion import occlusion, occlusion_in_parts
from nncore.explain.smooth_grad import smooth_grad, smooth_grad_in_parts
from nncore.explain.target import Target
from nncore.layers import Conv2d, Flatten, Linear, ReLU
from nncore.network import Network
from nncore.prediction import Predictor


@pytest.mark.parametrize(
    ("at_once", "in_parts"),
    [
        (integrated_gradients, integrated_gradients_in_parts),
        (smooth_grad, smooth_grad_in_parts),
        (occlusion, occlusion_in_parts),
    ],
)
def test_the_parts_lead_to_the_same_map(at_once, in_parts) -> None:
    predictor = Predictor(Network([Conv2d(3, 3), ReLU(), Flatten(), Linear(4)], (20, 18, 1)))
    image = (np.random.default_rng(0).random((20, 18, 1)) * 255).astype(np.uint8)
    *on_the_way, last = in_parts(predictor, image, Target(2, 1))
    done = [each.done for each in on_the_way]
    assert done and done == sorted(set(done)) and all(each.done <= each.total == last.total for each in on_the_way)
    assert all(each.result is None for each in on_the_way) and last.done == last.total
    np.testing.assert_array_equal(last.result.map, at_once(predictor, image, Target(2, 1)).map)
