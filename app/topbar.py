"""The top bar: menus, and the three things in view as chips: network, data, device."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QMenuBar, QToolButton, QWidget

from app.core.in_view import DataInView, NetworkInView
from app.core.stored_run import is_kept
from app.errors import Problem
from app.lab import Lab
from app.theme import svg_pixmap, theme
from app.widgets.card import label
from app.widgets.dataset_card import megabytes
from app.widgets.elided import Chip, Elided
from app.widgets.tips import tip
from models.shipped import cards
from nncore.backend.devices import AUTO, Found, known_devices
from nncore.data.catalogue import title_of

RECENT = 8
"""Most runs in the network's menu."""
SAID_FOR = 10_000
"""Milliseconds for which a message is shown."""


class TopBar(QWidget):
    """Menus on the left, then chips for network, data and device. A click on a chip opens a menu to change it."""

    def __init__(self, lab: Lab, menus: QMenuBar, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lab, self._actions = lab, actions
        self._logo = label()
        self._network, self._data, self._device = self._chip("network", 270), self._chip("data", 250), self._chip("device", 190)
        self._network.setToolTip("The network in view: change it to shipped weights, a run, or a file")
        self._data.setToolTip("The data in view, from which training takes its images")
        self._device.setToolTip("The device that trainings run on: the CPU, or a GPU")
        self._said, self._kept = Elided(), ""
        self._silence = QTimer(self, interval=SAID_FOR, singleShot=True)
        self._silence.timeout.connect(lambda: self._say(""))
        help_button = QToolButton()
        help_button.setText("F1 help")
        help_button.setToolTip(actions["help"].toolTip())
        help_button.clicked.connect(actions["help"].trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self._logo)
        row.addWidget(menus)
        row.addSpacing(8)
        for chip in (self._network, self._data, self._device):
            row.addWidget(chip)
        row.addSpacing(8)
        row.addWidget(self._said, 1)
        row.addWidget(help_button)
        self._choices = QActionGroup(self)
        self._offered: tuple[Found | None, str] | None = None
        """Devices and choice that the device's menu shows."""
        self._device.menu().setToolTipsVisible(True)
        self._device.menu().aboutToShow.connect(self._offer_devices)
        self._device.menu().aboutToShow.connect(lab.look_for_devices)  # for the memory that is free now
        self._network.menu().aboutToShow.connect(self._offer_networks)
        self._data.menu().aboutToShow.connect(self._offer_data)
        lab.state.network.subscribe(self._show_network)
        lab.state.data.subscribe(self._show_data)
        for part in (lab.device.choice, lab.device.found):
            part.subscribe(lambda _: self._show_device())
        lab.opener.opening.connect(self._show_opening)
        lab.said.connect(self._say)
        theme().changed.connect(self._tint)
        self._tint()

    def _chip(self, name: str, width: int) -> Chip:
        chip = Chip(width)
        chip.setAccessibleName(name)
        chip.setMenu(QMenu(chip))
        return chip

    def _say(self, words: str) -> None:
        """Show a message for a while."""
        self._kept = words
        self._said.show_words(words)
        if words:
            self._silence.start()

    def _show_opening(self, what: str, _: str) -> None:
        """Say what is being opened; afterwards again what was said meanwhile."""
        if what:
            self._kept = ""
        self._said.show_words(f"Opening {what}…" if what else self._kept)

    def _tint(self) -> None:
        ratio = self.devicePixelRatioF()
        self._logo.setPixmap(svg_pixmap("digitlab", 24, "", ratio))
        for name, chip in (("network", self._network), ("data", self._data), ("device", self._device)):
            chip.setIcon(theme().icon(name, theme().colors.dim))

    def _show_network(self, view: NetworkInView | None) -> None:
        if view is None:
            self._network.show_words("no network ▾")
        else:
            self._network.show_words(f"{view.name} · {view.source} ▾")

    def _show_data(self, view: DataInView | None) -> None:
        if view is None:
            self._data.show_words("no data yet ▾")
        else:
            test = f" + {len(view.test):,}" if view.test is not None else ""
            self._data.show_words(f"{view.train.name} {len(view.train):,}{test} ▾")

    def _show_device(self) -> None:
        known = self._lab.device.found.value or known_devices()
        choice = self._lab.device.choice.value
        device = known.device(choice) or (known.devices[0] if self._lab.device.found.value is None else None)
        # There is none where its memory has run full, say, since it was chosen.
        label, title = (choice, choice) if device is None else (device.label, device.title)
        self._device.show_words(f"{label.removeprefix('NVIDIA ')} ▾")
        self._device.setToolTip(f"The device that trainings run on: {title}")
        if self._device.menu().isVisible() and self._offered != (self._lab.device.found.value, self._lab.device.choice.value):
            self._offer_devices()

    def _offer_devices(self) -> None:
        menu, found, choice = self._device.menu(), self._lab.device.found.value, self._lab.device.choice.value
        self._offered = found, choice
        menu.clear()
        known = found or known_devices()
        best = f"Automatic ({known.best.label})" if found else "Automatic"
        for name, words in ((AUTO, best), *((device.name, device.title) for device in known.devices)):
            action = menu.addAction(words, partial(self._lab.choose_device, name))
            action.setCheckable(True)
            action.setChecked(name == choice)
            self._choices.addAction(action)
        if found is None:
            menu.addAction("Looking for GPUs…").setEnabled(False)
        elif found.why_no_gpu:
            action = menu.addAction("No GPU can be used: why?", partial(self._lab.problem.emit, Problem(found.why_no_gpu)))
            action.setToolTip(tip(found.why_no_gpu))
        menu.addSeparator()
        menu.addAction(self._actions["about"])

    def _offer_networks(self) -> None:
        menu = self._network.menu()
        menu.clear()
        menu.addSection("Shipped with DigitLab")
        for name, card in cards().items():
            words = f"{name}, {card['test_accuracy'] * 100:.2f} % on {title_of(card['data'])}"
            menu.addAction(words, partial(self._lab.opener.open_weights, name))
        runs = [run for run in self._lab.store.list() if is_kept(self._lab.store, run)][:RECENT]
        if runs:
            menu.addSection("Runs")
        for run in runs:
            menu.addAction(f"{run.name} ({run.network} on {title_of(run.data)})", partial(self._lab.opener.open_run, run))
        menu.addSeparator()
        menu.addAction(self._actions["open_weights"])

    def _offer_data(self) -> None:
        menu = self._data.menu()
        menu.clear()
        for known in self._lab.library.known:
            if known.here:
                menu.addAction(known.title, partial(self._lab.opener.open_data, known.name)).setToolTip(known.description)
            elif known.source is not None:
                words = f"Get {known.title} ({megabytes(known.source.size)})"
                menu.addAction(words, partial(self._lab.library.get, known.name)).setToolTip(known.description)
        menu.addSeparator()
        menu.addAction(self._actions["open_folder"])
        menu.addAction(self._actions["open_data"])
