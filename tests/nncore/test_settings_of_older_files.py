"""Descriptions of layers from before a setting was there give the layers that they gave then."""

from __future__ import annotations

import pytest

from nncore.layers import layer_from_config

OLDER = (
    {"type": "Conv2d", "out_channels": 4, "kernel_size": [3, 3], "stride": [1, 1], "padding": [1, 1], "initializer": "he_normal",
     "weight_decay": 0.0},
    {"type": "Linear", "out_features": 10, "initializer": "he_normal", "weight_decay": 0.0},
    {"type": "MaxPool2d", "kernel_size": [2, 2], "stride": [2, 2]},
    {"type": "AvgPool2d", "kernel_size": [2, 2], "stride": [2, 2]},
)  # fmt: skip
NEWER = {"bias": True, "padding": (0, 0), "dilation": (1, 1), "groups": 1}
"""What settings that came later are where nothing is said of them."""


@pytest.mark.parametrize("older", OLDER, ids=lambda older: older["type"])
def test_a_layer_of_an_older_file_is_as_it_was(older):
    config = layer_from_config(dict(older)).config()
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in config.items() if name in older} == older
    assert {name: value for name, value in config.items() if name not in older}.items() <= NEWER.items()
