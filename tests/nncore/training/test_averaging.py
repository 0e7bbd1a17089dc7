"""The running average of a network's weights."""

from __future__ import annotations

import numpy as np

from nncore.layers import BatchNorm, Linear
from nncore.network import Network
from nncore.training.averaging import WeightAverage


def test_the_average_follows_the_weights_and_running_statistics_and_leaves_the_network_alone():
    network, average = Network([Linear(3), BatchNorm()], (2,), 0), WeightAverage(0.75)
    weights, means, rng = [], [], np.random.default_rng(0)
    for _ in range(3):
        for holder in (network.parameters() | network.buffers()).values():
            holder.data[...] = rng.random(holder.shape, np.float32)
        weights.append(network.layers[0].weight.data.copy())
        means.append(network.layers[1].running_mean.data.copy())
        average.look(network)
    shares = (0.75**2, 0.75 * 0.25, 0.25)
    for name, values in ((f"{network.layers[0].name}.weight", weights), (f"{network.layers[1].name}.running_mean", means)):
        expected = sum(share * value for share, value in zip(shares, values, strict=True))
        np.testing.assert_allclose(average.state[name], expected, rtol=1e-5)
    np.testing.assert_array_equal(network.layers[0].weight.data, weights[-1])


def test_an_average_that_goes_on_is_the_one_that_was_never_interrupted():
    network, straight = Network([Linear(3)], (2,), 0), WeightAverage(0.9)
    straight.look(network)
    resumed = WeightAverage(0.9, straight.state)
    network.layers[0].weight.data += 1
    straight.look(network)
    resumed.look(network)
    for name, value in straight.state.items():
        np.testing.assert_array_equal(resumed.state[name], value)
