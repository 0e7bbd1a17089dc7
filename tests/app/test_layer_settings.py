"""Settings of layers that few networks need, in the editor: how they are shown, and what is said where one cannot be."""

from __future__ import annotations

import pytest

from app.core.layer_kinds import KINDS
from app.core.layer_list import LayerList
from app.panels.train.layer_column import LayerColumn
from nncore.layers import AvgPool2d, Conv2d, Flatten, GlobalAvgPool2d, Layer, Linear, MaxPool2d, layer_from_config
from tests.app.test_layer_editor import opened, panel

__all__ = ["panel"]

ROOM = 546
"""Pixels that cards have in a window of 1280×800."""


@pytest.fixture
def column(qtbot, themed) -> LayerColumn:
    """A convolution, and what takes its edits over as the editor does."""
    made = LayerColumn()
    qtbot.addWidget(made)
    made.edited.connect(lambda layers, _of, _focus: made.show_layers(layers, layers.lines()))
    first = LayerList.of([Conv2d(8, 3, padding="same")], (28, 28, 4))
    made.show_layers(first, first.lines())
    made.resize(ROOM, 400)
    made.show()
    made.cards[0].more.setChecked(True)
    return made


def settings(column: LayerColumn) -> dict[str, object]:
    return dict(column.cards[0]._layer)


def test_all_settings_of_a_convolution_have_room(column):
    assert column.cards[0].minimumSizeHint().width() <= ROOM


def test_a_padding_below_zero_is_same(column):
    fields = column.cards[0].fields
    assert fields["padding"].text() == fields["padding across"].text() == "same"
    fields["padding across"].stepUp()
    assert settings(column)["padding"] == (0, 0)
    fields["padding"].setValue(2)
    assert settings(column)["padding"] == (2, 2)
    for _ in range(5):
        fields["padding"].stepDown()
    assert settings(column)["padding"] == "same" and fields["padding"].text() == "same"


def test_what_does_not_go_with_another_setting_is_said_in_words(column):
    card = column.cards[0]
    card.fields["stride"].setValue(2)
    assert card.problem == 'padding="same" needs a stride of 1, not 2×2; give the padding as a number.'
    assert settings(column)["stride"] == (1, 1)
    card.fields["groups"].setValue(3)
    assert card.problem == "8 channels cannot be split into 3 groups; take a multiple of them."
    card.fields["groups"].setValue(8)
    assert card.problem == "conv1 has 8 groups, but gets 4 channels; take groups that divide them."


def test_a_bias_is_left_out_by_its_box(column):
    card = column.cards[0]
    assert card.fields["bias"].isChecked()
    card.fields["bias"].click()
    assert settings(column)["bias"] is False
    card.more.setChecked(False)
    assert card._unusual.text() == "no bias"


def test_further_settings_that_are_not_as_usual_are_said():
    conv = layer_from_config(dict(KINDS["Conv2d"].new) | {"dilation": 2, "groups": 4}).config()
    assert KINDS["Conv2d"].unusual(conv) == "dilation 2 · groups 4"
    conv = layer_from_config(dict(KINDS["Conv2d"].new) | {"dilation": (2, 3), "padding": "same"}).config()
    assert KINDS["Conv2d"].unusual(conv) == "dilation 2×3"


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([GlobalAvgPool2d(), Flatten(), Linear(10)], ""),
        ([Flatten(), GlobalAvgPool2d()], "globalpool1 takes images, but gets 784; move it above the flatten."),
        (
            [MaxPool2d(28, padding=3), MaxPool2d((3, 4), padding=1)],
            "pool2 needs at least 1×2, but gets 1×1; remove a pool before it",
        ),
        (
            [AvgPool2d(4), Conv2d(2, 4, dilation=3)],
            "conv1 needs at least 10×10, but gets 7×7; remove a pool before it, add padding or use a kernel of up to 3×3.",
        ),
    ],
)
def test_what_fits_where(layers: list[Layer], words: str):
    problem = LayerList.of(layers, (28, 28, 1)).problem()
    assert problem.startswith(words) and bool(problem) == bool(words)


def test_a_global_pool_is_added_from_the_menu(panel, qtbot):
    editor = opened(panel, qtbot)
    place = len(editor.column.cards) - 1
    editor.column.adders[place].click()
    next(action for action in editor.column.menu.actions() if action.text() == "global average").trigger()
    assert editor.column.cards[place].title == "globalpool1" and "takes images" in editor.column.cards[place].problem
