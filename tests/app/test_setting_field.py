"""Fields of settings: their ranges, names and tooltips are the settings' own."""

from __future__ import annotations

import pytest

from app.panels.train.fields import choice_field, described, number_field, share_field, whole_field
from nncore.training.config import SETTINGS


def test_a_choice_offers_what_the_registry_has(qtbot):
    field = choice_field(SETTINGS["optimizer"])
    qtbot.addWidget(field)
    assert [field.itemText(n) for n in range(field.count())] == list(SETTINGS["optimizer"].kind.names)
    assert field.accessibleName() == "Optimizer"


def test_a_number_keeps_to_its_range(qtbot):
    epochs, seed, rate, momentum = (
        whole_field(SETTINGS["epochs"]), whole_field(SETTINGS["seed"]), number_field(SETTINGS["learning_rate"]),
        number_field(SETTINGS["momentum"]),
    )  # fmt: skip
    for field in (epochs, seed, rate, momentum):
        qtbot.addWidget(field)
    assert (epochs.minimum(), epochs.maximum()) == (1, 1_000_000) and seed.maximum() == 2**31 - 1
    assert (rate.minimum(), rate.maximum()) == (1e-6, 100)
    assert (momentum.minimum(), momentum.maximum()) == (0, 0.999999), "below 1, as the setting asks"


def test_a_share_is_shown_in_percent(qtbot):
    field = share_field(SETTINGS["validation"])
    qtbot.addWidget(field)
    field.setValue(16.7)
    assert field.text() == "16.7 %"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_tooltip_tells_the_notion(name):
    assert described(SETTINGS[name]).startswith(f"{SETTINGS[name].title}: ")
