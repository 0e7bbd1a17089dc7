"""Browser: the gallery of the data in view, with filter and search, and the balance of its classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from app.core.in_view import DataInView
from app.core.probe import Kind, Probe
from app.lab import Lab
from app.panels.augmentation import augmentation_of, in_words, name_of
from app.panels.data.item import Item
from app.threads.task import Task
from app.widgets.card import GAP, Card, label
from app.widgets.class_balance import ClassBalance
from app.widgets.image_grid import ImageGrid
from nncore.arrays import Array, shape_text
from nncore.data.dataset import UNKNOWN, Dataset

PARTS = ("training", "test")
MOST_MEANS = 8_000_000
"""Most values that the mean images of all classes may have together, to bound their memory."""
NARROW = 540
"""Width below which only the gallery is shown."""
RIGHT = 190
"""Width of the column right of the gallery."""
MEANS = "The mean image of each class, and how many it has. Click one to see only those."
NO_LABELS = "Nobody has said what these images show. A network can read them, but not learn from them."
PATIENCE = 120
"""Milliseconds after which the old images fade while others are opened. Fading for a shorter time would flicker."""


class Browser(QWidget):
    """Shows the training or the test images, all or of one class. The image that is chosen becomes the probe.

    `wanted_closer` and `wanted_variations` ask for the other pages of the Data panel.
    """

    picked = Signal(object)
    """The Item that was chosen."""
    wanted_closer = Signal()
    wanted_variations = Signal()

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.shown: Array = np.zeros(0, np.int64)
        """Indices of the images in the gallery."""
        self._means: WeakKeyDictionary[Dataset, Array] = WeakKeyDictionary()
        self._awaited: WeakSet[Dataset] = WeakSet()
        self._view: DataInView | None = None
        """The data that is shown."""
        self._fade = QTimer(self, interval=PATIENCE, singleShot=True)
        self._fade.timeout.connect(lambda: self._set_faded(True))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self._build_gallery(), 1)
        self._right = QWidget()
        column = QVBoxLayout(self._right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._build_balance(), 1)
        column.addWidget(self._build_augmentation())
        row.addWidget(self._right)
        lab.state.data.subscribe(self._show_data)
        lab.opener.opening.connect(self._show_opening)

    # -- building

    def _build_gallery(self) -> Card:
        self.part, self.classes = QComboBox(), QComboBox()
        self.part.setAccessibleName("part of the data")
        self.part.setToolTip("Training images are learned from; test images only ever measure the result")
        self.classes.setAccessibleName("class")
        self.classes.setToolTip("Show the images of one class only")
        self.search = QLineEdit(placeholderText="Go to…", clearButtonEnabled=True)
        self.search.setAccessibleName("go to image")
        self.search.setToolTip("Number of an image; Return goes there")
        self.search.setFixedWidth(84)
        for box in (self.part, self.classes):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.part.currentIndexChanged.connect(lambda _: self._show_part())
        self.classes.currentIndexChanged.connect(lambda _: self._filter())
        self.search.returnPressed.connect(self._go_to)
        card = Card("Gallery", self.part, self.classes, self.search)
        self.grid = ImageGrid("gallery")
        self.grid.activated.connect(self._choose)
        self.grid.offer_closer(self._look_closer)
        self.grid.offer("Inspect", Qt.Key.Key_I, lambda position: self.send("inspect", position))
        self.grid.offer("Recognise", Qt.Key.Key_R, lambda position: self.send("recognise", position))
        self.grid.offer("Variations", Qt.Key.Key_V, self._look_at_variations)
        self.grid.offer("Give another label…", Qt.Key.Key_L, self._ask_for_label, self._shows_files)
        self.grid.takes_several = self._shows_files
        self.grid.offer("Delete", Qt.Key.Key_Delete, self.delete, self._shows_files)
        self.facts = label("", "dim", wrap=True)
        self.facts.setMinimumHeight(2 * self.facts.fontMetrics().lineSpacing())  # so that the gallery stays where it is
        self._nothing = self._build_nothing()
        card.body.addWidget(self._nothing, 1)
        card.body.addWidget(self.grid, 1)
        card.body.addWidget(self.facts)
        return card

    def _build_nothing(self) -> QWidget:
        """What is shown in place of the gallery while there is no data."""
        made = QWidget()
        words = label("No data yet. Choose a dataset on the left, or begin with digits that need no download.", "dim", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.use_built_in = QPushButton("Use the built-in digits")
        self.use_built_in.setToolTip("Digits drawn by the program itself, in a second")
        self.use_built_in.clicked.connect(lambda: self.lab.opener.open_data("synthetic"))
        layout = QVBoxLayout(made)
        layout.addStretch(1)
        layout.addWidget(words)
        layout.addWidget(self.use_built_in, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return made

    def _build_balance(self) -> Card:
        card = Card("Class balance")
        card.setFixedWidth(RIGHT)
        self.balance = ClassBalance(self._probe_mean)
        self.balance.chosen.connect(lambda row: self.classes.setCurrentIndex(row + 1))
        self._balance_hint = label(MEANS, "dim", wrap=True)
        card.body.addWidget(self.balance)
        card.body.addWidget(self._balance_hint)
        card.body.addStretch(1)
        return card

    def _build_augmentation(self) -> Card:
        card = Card("Augmentation")
        card.setFixedWidth(RIGHT)
        words = label("", "dim", wrap=True)
        see = QPushButton("Variations…")
        see.setToolTip("See what augmentation makes of the chosen image, and set how far it goes (V)")
        see.clicked.connect(self.wanted_variations)
        card.body.addWidget(words)
        card.body.addWidget(see)
        self.lab.state.recipe.subscribe_part(
            augmentation_of, lambda augmentation: words.setText(f"{name_of(augmentation)}: {in_words(augmentation)}")
        )
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._right.setVisible(self.width() >= NARROW)

    # -- what is shown

    @property
    def dataset(self) -> Dataset | None:
        """The part of the data (training or test) that is shown."""
        view = self.lab.state.data.value
        if view is None:
            return None
        return view.test if self.part.currentIndex() == 1 else view.train

    def item(self, position: int) -> Item:
        """The image at a position of the gallery."""
        data = self.dataset
        assert data is not None, "what the gallery shows it shows of a dataset"
        return Item(data, PARTS[self.part.currentIndex()], int(self.shown[position]))

    def _show_opening(self, what: str, kind: str) -> None:
        if kind != "data":
            return
        self.facts.setText(f"Opening {what}…" if what else self._describe())
        if what:
            self._fade.start()
        else:
            self._fade.stop()
            self._set_faded(False)

    def _set_faded(self, faded: bool) -> None:
        self.grid.set_faded(faded)
        self.balance.set_faded(faded)

    def _show_data(self, view: DataInView | None) -> None:
        self._nothing.setVisible(view is None)
        self.grid.setVisible(view is not None)
        self._balance_hint.setVisible(view is not None)
        if view is None:
            self._view = None
            self.balance.set_counts(np.zeros(0, np.int64), ())
            self.facts.setText("")
            return
        before, self._view = self._view, view
        again = before is not None and view.spec == before.spec  # digits were added, removed or relabelled
        item = before and self._chosen_of(before)
        part = self.part.currentIndex() if again else 0
        _fill(self.part, PARTS if view.test is not None else PARTS[:1], part)
        self._show_part(again)
        if item and before:
            self._choose_again(item, before.files, view.files)

    def _chosen_of(self, view: DataInView) -> Item | None:
        """The image that is chosen in the gallery, of the data that was in view until now; None where it has no file."""
        position = self.grid.current
        has_file = 0 <= position < len(self.shown) and bool(view.files) and self.part.currentIndex() == 0
        return Item(view.train, PARTS[0], int(self.shown[position])) if has_file else None

    def _choose_again(self, item: Item, before: tuple[Path, ...], after: tuple[Path, ...]) -> None:
        """Choose the file of an image again, where it still is: under the same label or another one."""
        file = before[item.index]
        moved = [path for path in after if path == file or (path.name == file.name and path not in before)]
        if not moved:
            return
        index = after.index(moved[0])
        if index in self.shown:
            self.grid.mark(int(np.flatnonzero(self.shown == index)[0]))
        if self.lab.state.probe.value.shows_same(item.probe()):  # its number and label may be others now
            assert self.dataset is not None
            self.lab.state.probe.set(Item(self.dataset, PARTS[0], index).probe())

    def _show_part(self, again: bool = False) -> None:
        """Show a part of the data: from its top on, or, if `again`, at the same place."""
        data = self.dataset
        if data is not None:
            row = self.classes.currentIndex() if again else 0
            _fill(self.classes, ["all classes", *data.class_names], row)  # a part may have classes that the other has not
            known = bool((data.labels != UNKNOWN).any())
            names = tuple(data.class_names) if known else ()
            self.balance.set_counts(data.class_counts()[: len(names)], names)
            self._balance_hint.setText(MEANS if known else NO_LABELS)
            if known:
                self._ask_for_means(data)
            self._filter(again)

    def _ask_for_means(self, data: Dataset) -> None:
        if data in self._means:
            self.balance.set_means(self._means[data])
        if data in self._means or data in self._awaited or len(data.class_names) * math.prod(data.image_shape) > MOST_MEANS:
            return
        self._awaited.add(data)

        def show(means: Array) -> None:
            self._means[data] = means
            if self.dataset is data:  # otherwise another has been chosen meanwhile
                self.balance.set_means(means)

        Task(data.class_means, show, self.lab.problem.emit).begin()

    def _filter(self, again: bool = False) -> None:
        data, row = self.dataset, self.classes.currentIndex() - 1
        if data is None:
            return
        self.shown = np.arange(len(data)) if row < 0 else np.flatnonzero(data.labels == row)
        self.balance.set_current(row)
        self.grid.set_images(
            data.images,
            lambda position: f"{self.item(position).class_name}\t{self.shown[position]:,}",
            "There are no images of this class.",
            self.shown,
            lambda position: self.item(position).words,
            keep_place=again,
        )
        self.facts.setText(self._describe())

    def _describe(self) -> str:
        data = self.dataset
        if data is None:
            return ""
        return f"{data.name} · {len(self.shown):,} of {len(data):,} images · {shape_text(data.image_shape)} · {data.source}"

    # -- choosing

    def _go_to(self) -> None:
        data, text = self.dataset, self.search.text().strip().replace(",", "")
        if data is None or not text:
            return
        if not text.isdecimal() or int(text) >= len(data):
            self.facts.setText(f"There is no image {text}; they are numbered from 0 to {len(data) - 1:,}.")
            return
        self.classes.setCurrentIndex(0)
        self.grid.choose(int(text))
        self.grid.setFocus()

    def _choose(self, position: int) -> None:
        item = self.item(position)
        self.facts.setText(item.words)
        self.lab.state.show_probe(item.probe(), item.origin)
        self.picked.emit(item)

    def current_item(self) -> Item | None:
        """The image chosen, else the first in the gallery, else the first of all; None without data."""
        data = self.dataset
        if data is None or not len(data):
            return None
        return self.item(max(self.grid.current, 0)) if len(self.grid) else Item(data, PARTS[self.part.currentIndex()], 0)

    def step(self, by: int) -> None:
        """Choose the image that lies `by` images further on in the gallery."""
        self.grid.choose(self.grid.current + by)

    def send(self, panel: str, position: int) -> None:
        """Make an image the probe and go to a panel that shows it."""
        self.grid.choose(position)
        self.lab.show_panel(panel)

    def _look_closer(self, position: int) -> None:
        self.grid.choose(position)
        self.wanted_closer.emit()

    def _look_at_variations(self, position: int) -> None:
        self.grid.choose(position)
        self.wanted_variations.emit()

    # -- the user's own digits

    def _shows_files(self) -> bool:
        """Whether the images in the gallery are the user's own digits, which can be deleted and relabelled."""
        view = self.lab.state.data.value
        return view is not None and bool(view.files) and self.part.currentIndex() == 0

    def _files(self, position: int) -> list[Path]:
        """The files of the images that are chosen with the one at a position, or of that one alone."""
        view = self.lab.state.data.value
        assert view is not None, "what is offered for files is offered where there are files"
        return [view.files[self.shown[each]] for each in self.grid.chosen_with(position)]

    def delete(self, position: int) -> None:
        """Delete one of the user's own digits, or all that are chosen with it."""
        self.lab.own_digits.remove(self._files(position))

    def relabel(self, position: int, digit: int) -> None:
        """Give one of the user's own digits another label, or all that are chosen with it."""
        self.lab.own_digits.relabel(self._files(position), digit)

    def _ask_for_label(self, position: int) -> None:
        self.label_menu(position).popup(self.grid.viewport().mapToGlobal(self.grid.cell_rect(position).center()))

    def label_menu(self, position: int) -> QMenu:
        """A menu of the ten digits, to give one of the user's own another label; their keys choose them."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for digit in range(10):
            menu.addAction(f"This is a &{digit}", partial(self.relabel, position, digit))
        return menu

    def _probe_mean(self, row: int) -> None:
        data, mean = self.dataset, self.balance.mean_of(row)
        if data is not None and mean is not None:
            name = data.class_names[row]
            origin = f"mean of class {name}, {data.name} {PARTS[self.part.currentIndex()]}"
            shows = int(name) if name.isdecimal() else None
            self.lab.state.show_probe(Probe(mean.round().astype(np.uint8), origin, shows, kind=Kind.DATASET), origin)


def _fill(box: QComboBox, words: Sequence[str], chosen: int) -> None:
    """Replace the entries of a box without a signal, and choose one; the first where there are not so many."""
    box.blockSignals(True)
    box.clear()
    box.addItems(words)
    box.setCurrentIndex(chosen if chosen < len(words) else 0)
    box.blockSignals(False)
