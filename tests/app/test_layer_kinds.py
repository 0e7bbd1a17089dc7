"""Every setting of every layer has a field, and what a network is too large for is told with what would fit."""

from __future__ import annotations

import pytest

from app.core.layer_edits import LayerEdits
from app.core.layer_kinds import KINDS
from app.core.layer_list import LayerList
from nncore.layers import LAYERS, layer_from_config


def built(*layers: dict[str, object]) -> LayerList:
    return LayerList.from_config({"input_shape": [28, 28, 1], "layers": list(layers)})


@pytest.mark.parametrize("type", LAYERS)
def test_every_setting_of_a_layer_has_a_field_that_shows_and_changes_it(type):
    kind = KINDS[type]
    layer = layer_from_config(dict(kind.new)).config()
    assert {field.name for field in kind.fields} == set(LAYERS[type].settings)
    assert len({field.key for field in kind.fields}) == len(kind.fields)
    assert kind.unusual(layer) == "", "what is as usual is not said"
    for field in kind.fields:
        assert field.change(layer, field.value(layer)) == {field.name: layer[field.name]}
        assert field.help.startswith(field.help[0].upper()) and ":" in field.help


def test_a_pair_is_one_number_until_its_parts_differ():
    conv = layer_from_config(dict(KINDS["Conv2d"].new)).config()
    fields = {field.key: field for field in KINDS["Conv2d"].fields}
    assert fields["kernel_size"].change(conv, 5) == {"kernel_size": (5, 5)}
    wide = conv | fields["kernel_size across"].change(conv, 7)
    assert wide["kernel_size"] == (3, 7) and KINDS["Conv2d"].unusual(wide) == "kernel 3×7"
    assert fields["kernel_size"].change(wide, 5) == {"kernel_size": (5, 7)}


def test_what_is_not_as_usual_is_said():
    conv = layer_from_config(dict(KINDS["Conv2d"].new) | {"initializer": 0.02, "weight_decay": 1e-3}).config()
    assert KINDS["Conv2d"].unusual(conv) == "normal 0.02 · decay 0.001"
    assert KINDS["BatchNorm"].unusual({"type": "BatchNorm", "momentum": 0.1, "eps": 1e-3}) == "eps 0.001"


def test_a_layer_that_is_too_large_says_which_size_would_fit():
    flatten, linear = {"type": "Flatten"}, {"type": "Linear", "out_features": 10}
    wide = built(flatten, linear | {"out_features": 9_000_000}, linear)
    said = wide.problem()
    assert said.startswith("This network has over 200,000,000 parameters up to linear1; up to ") and said.endswith(
        "fit in linear1."
    )
    most = int(said.split("up to ")[2].split()[0].replace(",", ""))
    assert most == 200_000_000 // 785
    assert not wide.change(1, out_features=most).lines()[1].problem and wide.change(1, out_features=most + 1).lines()[1].problem


def test_the_largest_window_is_that_of_the_image():
    pools = built(*[{"type": "MaxPool2d", "kernel_size": 2}] * 2)
    assert pools.largest(1, lambda side: {"kernel_size": (side, side)}, 1, 256) == 14
    assert pools.largest(1, lambda side: {"kernel_size": (side, side)}, 1, 9) == 9
    assert pools.insert(0, {"type": "Flatten"}).largest(2, lambda side: {"kernel_size": (side, side)}, 1, 256) is None


def test_what_is_given_up_comes_back_by_redo_and_what_was_kept_by_undo():
    first = built({"type": "Flatten"}, {"type": "Linear", "out_features": 10})
    edits = LayerEdits(first)
    edits.do(first.insert(1, {"type": "ReLU"}))
    edits.give_up()
    assert edits.present == first and not edits.is_changed and edits.redo() and len(edits.present) == 3
    edits.begin_again()
    assert not edits.is_changed and edits.undo() and edits.present == first and edits.is_changed
    edits.give_up()
    assert len(edits.present) == 3 and edits.can_undo, "back to what was kept last"
    edits.undo()
    edits.do(edits.present.remove(0))
    edits.give_up()
    assert len(edits.present) == 3 and not edits.can_undo, "also where an edit has forgotten it"
