"""The list of the recipe's layers beside the curves."""

from __future__ import annotations

from app.core.layer_list import LayerList
from app.panels.train.layers import LayerTable
from app.panels.train.panel import LEFT
from nncore.layers import Conv2d, Flatten, Linear

LONG = "conv 32 · 3×3 · dilation 2 · 16 groups"


def test_a_long_description_leaves_shapes_and_parameters_in_sight(lab, qtbot):
    layers = LayerList.of([Conv2d(16, 3), Conv2d(32, 3, dilation=2, groups=16), Flatten(), Linear(10)], (28, 28, 1))
    lab.state.recipe.set(lab.state.recipe.value.with_network("mine", layers))
    table = LayerTable(lab)
    table.setFixedWidth(LEFT)
    qtbot.addWidget(table)
    with qtbot.waitExposed(table):
        table.show()
    description, shapes, parameters = table._columns
    viewport = table._scroll.viewport()
    right = parameters.mapTo(viewport, parameters.rect().topRight()).x()
    assert right <= viewport.width() and parameters.width() >= parameters.sizeHint().width() and shapes.x() > 0
    assert "conv 16 · 3×3" in description.text() and LONG not in description.text() and "…" in description.text()
    assert description.toolTip() == LONG, "what is cut is in the tooltip, and nothing else"
