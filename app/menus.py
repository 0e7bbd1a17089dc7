"""The menus: every action of the window once, in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QDockWidget, QMenu, QMenuBar

from app.core.actions import ACTIONS, MENUS
from app.theme import DARK_NAME, LIGHT_NAME, SYSTEM, theme


def fill_menus(bar: QMenuBar, actions: Mapping[str, QAction]) -> dict[str, QMenu]:
    """Fill the bar with the window's actions. Returns the menus by title."""
    menus = {title: bar.addMenu(title) for title in MENUS}
    submenus: dict[str, QMenu] = {}
    give_letters(bar.actions())
    for menu in menus.values():
        menu.aboutToShow.connect(partial(_give_letters_in, menu))
    for spec in ACTIONS:
        if spec.separator_before:
            menus[spec.menu].addSeparator()
        if spec.submenu and spec.submenu not in submenus:
            submenus[spec.submenu] = menus[spec.menu].addMenu(spec.submenu)
        (submenus[spec.submenu] if spec.submenu else menus[spec.menu]).addAction(actions[spec.name])
    return menus


def give_letters(actions: Iterable[QAction]) -> None:
    """Mark in each action's text the letter that chooses it while its menu is open, each letter once.

    It is the first letter of a word where one is free, and else any. Where none is left the text has no mark.
    """
    taken: set[str] = set()
    for action in actions:
        text = action.text().replace("&", "")
        firsts = [place for place, letter in enumerate(text) if place == 0 or not text[place - 1].isalnum()]
        free = (place for place in (*firsts, *range(len(text))) if text[place].isalnum() and text[place].lower() not in taken)
        place = next(free, None)
        if place is not None:
            taken.add(text[place].lower())
            text = f"{text[:place]}&{text[place:]}"
        action.setText(text)


def _give_letters_in(menu: QMenu) -> None:
    give_letters([action for action in menu.actions() if not action.isSeparator()])


def fill_view_menu(view: QMenu, panels: Iterable[QAction], dock: QDockWidget, set_theme: Callable[[str], None]) -> None:
    """Insert the panels, the probe dock and the themes at the top of the menu View."""
    first = view.actions()[0]
    view.insertActions(first, list(panels))
    view.insertSeparator(first)
    toggle = dock.toggleViewAction()
    toggle.setText("Probe")
    toggle.setToolTip("Show or hide the probe")
    view.insertAction(first, toggle)
    floating = QAction("Float the probe", view, checkable=True, toolTip="Take the probe out of the window, and put it back")
    floating.triggered.connect(lambda checked: _float(dock, checked))
    dock.topLevelChanged.connect(floating.setChecked)
    view.insertAction(first, floating)
    themes = _theme_menu(view, set_theme)
    themes.aboutToShow.connect(partial(_give_letters_in, themes))
    view.insertMenu(first, themes)


def _float(dock: QDockWidget, floating: bool) -> None:
    dock.setFloating(floating)
    dock.show()  # it may have been hidden


def _theme_menu(view: QMenu, set_theme: Callable[[str], None]) -> QMenu:
    menu = QMenu("Theme", view)
    group = QActionGroup(menu)
    for name, text in ((SYSTEM, "As the system"), (LIGHT_NAME, "Light"), (DARK_NAME, "Dark")):
        action = QAction(text, menu, checkable=True, checked=theme().name == name)
        action.triggered.connect(partial(_choose, set_theme, name))
        group.addAction(action)
        menu.addAction(action)
    return menu


def _choose(set_theme: Callable[[str], None], name: str, _: bool = False) -> None:
    set_theme(name)
