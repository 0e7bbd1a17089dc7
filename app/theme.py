"""How the window looks: its theme, fonts, the stylesheet. The colours themselves are in `app.colors`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from importlib import resources

from PySide6.QtCore import QByteArray, QEvent, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app.colors import DARK as DARK
from app.colors import DIVERGING as DIVERGING
from app.colors import GREY as GREY
from app.colors import LIGHT as LIGHT
from app.colors import MAGMA as MAGMA
from app.colors import Colors as Colors

SYSTEM, LIGHT_NAME, DARK_NAME = "system", "light", "dark"
SCHEMES = {SYSTEM: Qt.ColorScheme.Unknown, LIGHT_NAME: Qt.ColorScheme.Light, DARK_NAME: Qt.ColorScheme.Dark}

PIXELS = 13
"""Size of the text in pixels."""
SLICE = 0.01
"""Seconds for which widgets out of sight are given other colours, between two frames."""

IN_STYLESHEET = {
    "background": "window",
    "panel": "base",
    "raised": "alternate-base",
    "line": "mid",
    "text": "window-text",
    "dim": "placeholder-text",
    "accent": "highlight",
    "on_accent": "highlighted-text",
    "second": "bright-text",
}
"""The theme's colours that the stylesheet names, and the roles of the palette that have them."""


class Theme(QObject):
    """The present theme. `changed` is emitted when what is in sight has its colours; what is not follows soon."""

    changed = Signal()

    def __init__(self, app: QApplication, name: str = SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self.name = name
        self._applied: Colors | None = None
        self._hidden: set[QWidget] = set()
        """Widgets that still have the colours of the theme before. One that is shown gets its own at once."""
        self._later = QTimer(self, interval=0)
        self._later.timeout.connect(self._polish_hidden)
        if app.styleSheet() != _stylesheet():  # once in a process: each of the three works through every widget
            app.setStyle("Fusion")
            app.setFont(_font(app))
            _sized.cache_clear()
            app.setStyleSheet(_stylesheet())
        app.styleHints().colorSchemeChanged.connect(self._apply)
        self.set(name)

    @property
    def colors(self) -> Colors:
        # By name first: not every platform accepts a colour scheme that is set.
        scheme = SCHEMES[self.name]
        if scheme is Qt.ColorScheme.Unknown:
            scheme = self._app.styleHints().colorScheme()
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT

    def set(self, name: str) -> None:
        """Use `system`, `light` or `dark` from now on."""
        self.name = name if name in SCHEMES else SYSTEM
        self._app.styleHints().setColorScheme(SCHEMES[self.name])
        self._apply()

    def _apply(self) -> None:
        if self.colors == self._applied:  # the platform tells of a scheme that has been set here
            return
        is_first = self._applied is None
        self._applied = self.colors
        self._app.setPalette(_palette(self.colors))
        # A stylesheet that is set anew is worked through for every widget as if nothing were known of it, which takes seconds.
        # To polish a widget again makes it forget the colours that it has from the palette, and little else.
        widgets = {*self._app.allWidgets()}
        # At a start there are hardly any, and the filter would be asked of each event of building a window.
        at_once = {widget for widget in widgets if is_first or widget.isVisible()}
        self._hidden = widgets - at_once
        self._polish(at_once)
        if self._hidden:
            self._later.start()
            self._app.installEventFilter(self)
        self.changed.emit()

    def _polish(self, widgets: Iterable[QWidget]) -> None:
        """Give widgets the palette's colours where the stylesheet names them."""
        style = self._app.style()
        for widget in widgets:
            if isValid(widget):
                style.polish(widget)
                widget.update()

    def _polish_hidden(self) -> None:
        """Go on with the widgets that were hidden when the theme changed, for a moment."""
        until = time.perf_counter() + SLICE
        while self._hidden and time.perf_counter() < until:
            self._polish([self._hidden.pop()])
        if not self._hidden:
            self._later.stop()
            self._app.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and watched in self._hidden and isinstance(watched, QWidget):
            self._hidden.remove(watched)
            self._polish([watched])
        return False

    def icon(self, name: str, color: str | None = None) -> QIcon:
        """The SVG `name` of assets/icons, drawn in `color` (the text's colour unless told), dimmed where disabled."""
        return _icon(name, color or self.colors.text, self.colors.dim)


_theme: Theme | None = None


def install(app: QApplication, name: str = SYSTEM) -> Theme:
    """Make the application's theme; `theme()` returns it from then on."""
    global _theme
    _theme = Theme(app, name)
    return _theme


def theme() -> Theme:
    """The application's theme."""
    assert _theme is not None, "install() comes first"
    return _theme


@cache
def _icon(name: str, color: str, disabled: str) -> QIcon:
    """An icon in the colours that it has while it can be used, and while it cannot; made once."""
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        for scale in (1, 2, 3):
            made.addPixmap(svg_pixmap(name, 20, tint, scale), mode)
    return made


@cache
def svg_pixmap(name: str, size: int, color: str, scale: float = 1) -> QPixmap:
    """The icon `name` as a square pixmap of `size` logical pixels, its `currentColor` replaced by `color`; drawn once."""
    source = _svg(name).replace("currentColor", color)
    pixmap = QPixmap(QSize(round(size * scale), round(size * scale)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap


@cache
def _svg(name: str) -> str:
    """The text of an icon, which is needed in several colours and sizes."""
    return (resources.files("assets") / "icons" / f"{name}.svg").read_text("utf-8")


def font(pixels: int = PIXELS, bold: bool = False) -> QFont:
    """The application's font in another size. Its figures all have one width, so that changing numbers do not jitter."""
    return QFont(_sized(pixels, bold))  # a copy, which knows what has been found out for the one that is kept


@cache
def _sized(pixels: int, bold: bool) -> QFont:
    made = QFont(QApplication.font())
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return made


def _font(app: QApplication) -> QFont:
    """The system's font, or a better one that is installed where that is the fallback of a bare X server."""
    made = app.font()
    if made.family() in ("DejaVu Sans", "Sans Serif", "Sans", "Bitstream Vera Sans"):
        installed = set(QFontDatabase.families())
        better = next((family for family in ("Inter", "Noto Sans", "Cantarell", "Open Sans") if family in installed), None)
        if better:
            made = QFont(better)
    made.setPixelSize(PIXELS)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def _palette(c: Colors) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, color in {
        roles.Window: c.background,
        roles.WindowText: c.text,
        roles.Base: c.panel,
        roles.AlternateBase: c.raised,
        roles.Text: c.text,
        roles.Button: c.raised,
        roles.ButtonText: c.text,
        roles.BrightText: c.second,
        roles.Highlight: c.accent,
        roles.HighlightedText: c.on_accent,
        roles.Accent: c.accent,
        roles.Link: c.accent,
        roles.ToolTipBase: c.raised,
        roles.ToolTipText: c.text,
        roles.PlaceholderText: c.dim,
        roles.Mid: c.line,
        roles.Midlight: c.line,
        roles.Light: c.raised,
        roles.Dark: c.line,
        roles.Shadow: c.background,
    }.items():
        palette.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.dim))
    return palette


@cache
def _stylesheet() -> str:
    """The stylesheet, which takes its colours from the palette and so is the same for every theme."""
    template = (resources.files("assets") / "style.qss").read_text("utf-8")
    for name in ("chevron", "check"):
        template = template.replace(f"@{name}@", str(resources.files("assets") / "icons" / f"{name}.svg").replace("\\", "/"))
    for name, role in IN_STYLESHEET.items():
        template = template.replace(f"@{name}@", f"palette({role})")
    return template
