"""What excites a unit most, and how much of the image it sees."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.data import Dataset
from nncore.errors import ConfigError
from nncore.explain.networks import as_batch
from nncore.explain.receptive_field import Field, receptive_field
from nncore.explain.top_images import top_images
from nncore.prediction import Predictor
from tests.nncore.explain.cases import image_for, network_of


@pytest.mark.parametrize(
    ("name", "layers"), [("own", ("conv1", "avgpool1", "pool1", "relu2")), ("mnist-mlp", ("relu1",)), ("11x11", ("tanh1",))]
)
def test_no_other_image_excites_a_unit_more(name: str, layers: tuple[str, ...]) -> None:
    network = network_of(name)
    shape = image_for(network).shape
    images = np.random.default_rng(3).integers(0, 256, (40, *shape), dtype=np.uint8)
    images[17] = images[4]  # of two equal ones the first comes first
    data, predictor = Dataset(images, np.zeros(40, np.int64), "noise"), Predictor(network)
    predictor.batch = 7
    for layer in layers:
        *_, end = top_images(predictor, data, layer, 5)
        found = end.result
        assert found is not None and end.done == end.total == 40
        maps = predictor.look(images)[1][layer]
        flat = maps.reshape(40, -1, maps.shape[-1])
        best = flat.max(axis=1)
        expected = np.sort(best, axis=0)[::-1][:5].T
        np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
        for unit in range(maps.shape[-1]):
            np.testing.assert_allclose(best[found.indices[unit], unit], found.values[unit], rtol=1e-4, atol=1e-5)
            places = zip(found.indices[unit], found.rows[unit], found.columns[unit], found.fields[unit], strict=True)
            for n, row, column, field in places:
                if maps.ndim == 4:
                    assert maps[n, row, column, unit] == pytest.approx(best[n, unit], rel=1e-4, abs=1e-5)
                assert field == receptive_field(network, layer, int(row), int(column))
        both = [unit for unit in found.indices.tolist() if 4 in unit and 17 in unit]
        assert all(unit.index(4) < unit.index(17) for unit in both)


@pytest.mark.parametrize("name", ["own", "11x11", "2x2", "1x1", "alexnet-mini", "digitlab-svhn", "spread"])
def test_only_what_lies_in_the_receptive_field_matters(name: str) -> None:
    """A place's output stays as it is when all outside its field is changed."""
    network, rng = network_of(name), np.random.default_rng(0)
    image, use = image_for(network), network.in_use()
    before = dict(use.activations(as_batch(network, image[None])))
    for layer in network.layers:
        if len(layer.output_shape) != 3:
            break
        rows, columns, _ = layer.output_shape
        for row, column in {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)}:
            field = receptive_field(network, layer.name, row, column)
            outside = rng.integers(0, 256, image.shape, dtype=np.uint8)
            field.of(outside)[...] = field.of(image)
            after = dict(use.activations(as_batch(network, outside[None])))
            np.testing.assert_allclose(after[layer.name][0, row, column], before[layer.name][0, row, column], rtol=1e-4, atol=1e-5)


def test_fields_by_hand() -> None:
    network = network_of("mnist-cnn")
    assert receptive_field(network, "conv1", 0, 5) == Field(0, 4, 2, 3)  # its first row lies on the padding
    assert receptive_field(network, "pool1", 3, 4) == Field(5, 7, 4, 4)
    assert receptive_field(network, "relu2", 6, 6) == Field(9, 9, 8, 8)
    assert receptive_field(network, "linear1") == receptive_field(network, "flatten1") == Field(0, 0, 28, 28)
    assert receptive_field(network_of("mnist-mlp"), "relu1") == Field(0, 0, 28, 28)
    with pytest.raises(ConfigError, match="row must be a whole number from 0 to 13, not 14"):
        receptive_field(network, "relu2", 14, 0)
