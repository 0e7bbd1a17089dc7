"""Every action of the window has its words, its place, and what it does."""

from __future__ import annotations

import pytest

from app.core.actions import ACTIONS, MENUS, bound


def do_nothing() -> None:
    """What an action under test does."""


EVERY = {spec.name: do_nothing for spec in ACTIONS}


def test_every_action_has_its_own_name_its_words_and_a_menu():
    assert len({spec.name for spec in ACTIONS}) == len(ACTIONS)
    keys = [key for spec in ACTIONS for key in spec.keys]
    assert len(keys) == len(set(keys)), "no key stands for two actions"
    assert all(spec.text and spec.tooltip and spec.menu in MENUS for spec in ACTIONS)


def test_actions_are_bound_in_their_order():
    assert [(spec.name, act) for spec, act in bound(EVERY)] == [(spec.name, do_nothing) for spec in ACTIONS]


def test_a_missing_or_surplus_binding_fails_at_once():
    without = {name: act for name, act in EVERY.items() if name not in ("stop", "help")}
    with pytest.raises(ValueError, match="help, stop"):
        bound(without)
    with pytest.raises(ValueError, match="fly"):
        bound(EVERY | {"fly": do_nothing})


def test_the_window_binds_every_action(window):
    assert [*window._actions] == [spec.name for spec in ACTIONS]
