"""What Inspect says of convolutions that are dilated or in groups, of pools with padding, and of other activations than ReLU."""

from __future__ import annotations

import numpy as np
import pytest

from app.panels.inspect.explained import sections_of, table_of
from app.panels.inspect.inspected import Unit
from app.widgets.equation import Equation
from app.widgets.sections import Grids, Lines
from nncore.explain.forward_pass import ForwardPass
from nncore.explain.pixel import Weighted, explain
from nncore.layers import (
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    LeakyReLU,
    Linear,
    MaxPool2d,
    SiLU,
)
from nncore.network import Network
from tests.app.test_inspect_number import found


@pytest.fixture
def done(rng, qapp, themed) -> ForwardPass:
    layers = [
        Conv2d(6, 3, padding="same", dilation=2, bias=False), BatchNorm(), GELU(), MaxPool2d(3, 2, padding=1),
        Conv2d(6, 3, padding=1, groups=3), SiLU(), Conv2d(4, 1), LeakyReLU(0.1), AvgPool2d(3, 2, padding=1), GlobalAvgPool2d(),
        Flatten(), Linear(5, bias=False),
    ]  # fmt: skip
    return ForwardPass.of(Network(layers, (9, 8, 2)), rng.integers(0, 256, (9, 8, 2)).astype(np.uint8))


def sections(done: ForwardPass, layer: str, *index: int):
    return sections_of(done, Unit(layer, index), (255 * done.values[0]).astype(np.uint8))


def words(found_in) -> str:
    """The formula at the end."""
    return " ".join(line.words for line in found_in[-1].lines)


def test_each_number_is_explained_at_the_edge_and_inside(done):
    for place, name in enumerate(done.names, 1):
        for index in (tuple(0 for _ in done.values[place].shape), tuple(size - 1 for size in done.values[place].shape)):
            made = sections(done, name, *index)
            assert made and all(min(section.size(400)) > 0 for section in made) and len([*table_of(done, Unit(name, index))]) > 1


def test_a_dilated_kernel_says_where_its_cells_lie(done):
    made = sections(done, "gelu1", 4, 4, 2)
    assert "x[i + 2k − 2, j + 2l − 2, c]" in words(made) and "b[o]" not in words(made)
    terms = found(made, Equation).terms
    assert [term.sign for term in terms] == [""], "a sum without a bias is that of the products"
    patch = found(made, Grids).grids[0].values
    step = explain(done, 1, (4, 4, 2))
    channel = int(np.abs(step.parts.sum(axis=(0, 1))).argmax())
    assert np.array_equal(patch, done.values[0][2:7:2, 2:7:2, channel])


def test_a_group_is_named_by_the_channels_that_it_sees(done):
    step = explain(done, 5, (2, 2, 5))
    assert isinstance(step, Weighted) and step.channel == 4 and step.inputs.shape == (3, 3, 2)
    made = sections(done, "conv2", 2, 2, 5)
    assert found(made, Grids).grids[0].title in ("pool1, channel 4", "pool1, channel 5")
    assert "c in the group of o" in words(made)


def test_the_one_channel_that_a_depthwise_convolution_sees_is_named(rng, qapp, themed):
    network = Network([Conv2d(4, 3), Conv2d(4, 3, groups=4), Flatten(), Linear(5)], (9, 8, 1))
    done = ForwardPass.of(network, rng.integers(0, 256, (9, 8, 1)).astype(np.uint8))
    titles = [found(sections(done, name, 1, 1, 3), Grids).grids[0].title for name in ("conv1", "conv2")]
    assert titles == ["input", "conv1, channel 3"], "a picture of one channel needs no number"


def test_a_window_at_the_edge_has_what_is_inside_and_the_mean_its_zeros(done):
    made = sections(done, "avgpool1", 0, 0, 1)
    assert found(made, Grids).grids[0].values.shape == (2, 2)
    assert found(made, Lines).lines[0].words == "mean of 9"
    assert found(sections(done, "globalpool1", 0, 0, 1), Lines).lines[0].words == f"mean of {done.values[9][..., 1].size}"


def test_activations_are_told_with_their_settings(done):
    assert "the slope is 0.1" in found(sections(done, "leakyrelu1", 0, 0, 1), Equation).terms[-1].tip
    by_tanh = ForwardPass.of(Network([Flatten(), Linear(3), GELU("tanh")], (2, 2, 1)), np.ones((2, 2, 1), np.uint8))
    assert "Φ is found by a tanh" in found(sections(by_tanh, "gelu1", 0), Equation).terms[-1].tip
    assert "tanh" not in found(sections(done, "gelu1", 4, 4, 2), Equation).terms[-1].tip
