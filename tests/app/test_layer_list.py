"""A network that is being built: edits, what each layer makes and costs, and what is said of one that does not fit."""

from __future__ import annotations

import pytest

from app.core.layer_edits import LayerEdits
from app.core.layer_kinds import KINDS
from app.core.layer_list import LayerList, total
from models.presets import PRESETS
from nncore.errors import ConfigError
from nncore.layers import LAYERS

CONV, POOL, FLATTEN = (
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 3},
    {"type": "MaxPool2d", "kernel_size": 2},
    {"type": "Flatten"},
)


def linear(size: int) -> dict[str, object]:
    return {"type": "Linear", "out_features": size}


def built(*layers: dict[str, object], shape: tuple[int, ...] = (28, 28, 1)) -> LayerList:
    return LayerList.from_config({"input_shape": list(shape), "layers": list(layers)})


@pytest.mark.parametrize("name", PRESETS)
def test_lines_say_what_the_network_itself_says(name):
    preset = PRESETS[name]
    found = LayerList.of(preset.layers(), preset.input_shape)
    network = preset.build()
    expected = [
        (each.name, each.description, each.output_shape, each.parameters, each.multiply_adds, 4 * each.values)
        for each in network.summary()
    ]
    lines = found.lines()
    assert [
        (line.name, line.description, line.output_shape, line.cost.parameters, line.cost.multiply_adds, line.memory)
        for line in lines
    ] == expected
    assert total(lines).parameters == network.parameter_count and found.problem() == ""
    assert LayerList.from_config(network.config()) == found, "however it is described"


def test_edits_give_new_lists():
    first = built(CONV, FLATTEN, linear(10))
    more = first.insert(1, POOL).insert(1, {"type": "ReLU"})
    assert [line.name for line in more.lines()] == ["conv1", "relu1", "pool1", "flatten1", "linear1"] and len(first) == 3
    assert more.move(0, 2).move(2, 0) == more and more.remove(2).remove(1) == first
    assert [each["type"] for each in more.move(1, 3).layers] == ["Conv2d", "MaxPool2d", "Flatten", "ReLU", "Linear"]
    wider = first.change(0, out_channels=9, padding=1)
    assert wider.lines()[0].output_shape == (28, 28, 9) and first.lines()[0].output_shape == (26, 26, 4)
    assert more.change(2, kernel_size=3).layers[2]["stride"] == (3, 3), "the stride of a pool follows its window"
    assert more.change(2, stride=1).change(2, kernel_size=3).layers[2]["stride"] == (1, 1), "but not one of its own"
    for mistake in (
        lambda: first.change(0, out_channels=0),
        lambda: first.insert(0, {"type": "Eval"}),
        lambda: first.change(0, x=1),
    ):
        with pytest.raises(ConfigError):
            mistake()
    with pytest.raises(IndexError):
        first.remove(3)


def test_the_first_layer_that_does_not_fit_says_what_would():
    def said(*layers: dict[str, object], shape: tuple[int, ...] = (28, 28, 1)) -> str:
        return built(*layers, shape=shape).problem()

    pools = [POOL] * 3
    assert said(CONV, *pools, POOL, CONV) == (
        "conv2 needs at least 3×3, but gets 1×1; remove a pool before it, add padding or use a kernel of up to 1×1."
    )
    assert said({**CONV, "kernel_size": 9, "padding": 1}, shape=(4, 4, 1)) == (
        "conv1 needs at least 7×7, but gets 4×4; add padding or use a kernel of up to 6×6."
    )
    assert said(*pools, POOL, POOL) == (
        "pool5 needs at least 2×2, but gets 1×1; remove a pool before it or use a window of up to 1×1."
    )
    assert said(CONV, linear(10)) == "linear1 takes a flat vector, but gets 26×26×4; put a flatten before it."
    assert said(FLATTEN, CONV) == "conv1 takes images, but gets 784; move it above the flatten."
    assert said(FLATTEN, linear(9_000_000)).startswith("This network has over 200,000,000 parameters up to linear1")
    lines = built(CONV, linear(10), linear(10)).lines()
    assert [bool(line.problem) for line in lines] == [False, True, False] and lines[2].output_shape is None
    assert lines[0].cost.parameters == 40 and total(lines) == lines[0].cost


def test_the_end_must_give_one_score_a_class():
    assert built().problem() == "There are no layers yet; add flatten and linear 10."
    assert built(CONV).problem() == "The last layer must give one score a class, but gives 26×26×4; end in flatten, linear 10."
    assert "gives 784 for 10; end in linear 10" in built(FLATTEN).problem()
    assert "gives 7 for 10" in built(FLATTEN, linear(7)).problem()
    assert built(FLATTEN, linear(10)).problem(classes=5) == "" and built(FLATTEN, linear(10), {"type": "Tanh"}).problem() == ""
    assert "nothing to learn" in built(FLATTEN, shape=(5, 2, 1)).problem()


def test_vectors_become_images_that_are_flattened():
    preset = PRESETS["mnist-mlp"]
    vectors = LayerList.of(preset.layers(), preset.input_shape)
    images = vectors.on((28, 28, 1))
    assert images.layers[0] == {"type": "Flatten"} and images.problem() == "" and images.on((28, 28, 1)) is images
    assert total(images.lines()).parameters == preset.build().parameter_count


def test_edits_are_undone_and_done_again():
    first = built(FLATTEN, linear(10))
    edits = LayerEdits(first)
    assert not edits.undo() and not edits.is_changed
    edits.do(first.change(1, out_features=11), "outputs")
    edits.do(edits.present.change(1, out_features=12), "outputs")
    edits.do(edits.present.insert(1, {"type": "ReLU"}))
    assert edits.undo() and edits.present == first.change(1, out_features=12)
    assert edits.undo() and edits.present == first and not edits.can_undo, "a setting that is turned is one edit"
    assert edits.redo() and edits.redo() and len(edits.present) == 3 and not edits.redo()
    edits.undo()
    edits.do(edits.present.remove(0))
    assert not edits.can_redo and edits.is_changed
    edits.do(edits.present)
    assert edits.undo() and len(edits.present) == 2, "what changes nothing is no edit"


def test_every_kind_of_layer_can_be_added():
    assert KINDS.keys() == LAYERS.keys()
    for kind in KINDS.values():
        made = built().insert(0, kind.new).layers[0]
        assert all(field.name in made for field in kind.fields) and kind.help.lower().startswith(kind.title[:2])
