"""Data: choose a dataset, look through its images, and make one the probe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from app.lab import Lab
from app.panels.base import Panel
from app.state import DataInView, Probe
from app.theme import font, theme
from app.widgets.card import GAP, Card, label
from app.widgets.image_grid import ImageGrid
from nncore.backend import Array
from nncore.data import KnownDataset, available_datasets
from nncore.data.dataset import Dataset
from nncore.layers.base import times


class Choice(QFrame):
    """A dataset as a card to click: its name, what it is, whether it is here."""

    chosen = Signal(str)

    def __init__(self, known: KnownDataset) -> None:
        super().__init__()
        self.known = known
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(known.title)
        self.setToolTip(f"{known.description}\nLicence: {known.licence}")
        title = label(known.title, "value")
        state = label("here" if known.here else "not here yet", "dim")
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(label(known.description, "dim", wrap=True))

    def set_chosen(self, chosen: bool) -> None:
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.known.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.known.name)
        else:
            super().keyPressEvent(event)


class ClassBalance(QWidget):
    """How many images each class has, as bars; a click filters the gallery by that class."""

    clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._counts: Array = np.zeros(0, np.int64)
        self._names: tuple[str, ...] = ()
        self.setAccessibleName("class balance")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)

    def set_counts(self, counts: Array, names: tuple[str, ...]) -> None:
        self._counts, self._names = counts, names
        self.setAccessibleDescription(", ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(170, 24 * len(self._counts))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme().colors, QPainter(self)
        painter.setFont(font(12))
        left, right = 26, self.width() - 52
        for row, (name, count) in enumerate(zip(self._names, self._counts, strict=True)):
            top = row * 24
            painter.setPen(QColor(colors.dim))
            painter.drawText(QRect(0, top, left - 6, 24), Qt.AlignmentFlag.AlignVCenter, name)
            painter.drawText(QRect(right, top, 52, 24), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{count:,}")
            width = round((right - left - 4) * int(count) / max(int(self._counts.max()), 1))
            painter.fillRect(QRect(left, top + 6, width, 12), QColor(colors.accent))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // 24
        if 0 <= row < len(self._counts):
            self.clicked.emit(row)


class DataPanel(Panel):
    """Left the datasets, in the middle the gallery, right the balance of the classes."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self._build_choices())
        row.addWidget(self._build_gallery(), 1)
        row.addWidget(self._build_balance())
        self.content.addLayout(row)
        self._shown: Array = np.zeros(0, np.int64)
        lab.state.data.subscribe(self._show_data)
        lab.opening.connect(self._show_opening)

    def _build_choices(self) -> Card:
        card = Card("Datasets")
        card.setFixedWidth(232)
        holder = QWidget()
        self._choices_box = QVBoxLayout(holder)
        self._choices_box.setContentsMargins(0, 0, 4, 0)
        self._choices: list[Choice] = []
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(holder)
        card.body.addWidget(scroll, 1)
        folder = QPushButton("Open a folder…")
        folder.setToolTip("A folder of IDX files, or of pictures sorted into one folder a class (0, 1, …)")
        self._folder = folder
        card.body.addWidget(folder)
        self._list_choices()
        return card

    def _list_choices(self) -> None:
        for choice in self._choices:
            choice.deleteLater()
        self._choices = [Choice(known) for known in available_datasets()]
        while self._choices_box.count():
            self._choices_box.takeAt(0)
        for choice in self._choices:
            choice.chosen.connect(self.lab.open_data)
            self._choices_box.addWidget(choice)
        self._choices_box.addStretch(1)

    def _build_gallery(self) -> Card:
        self._part, self._class = QComboBox(), QComboBox()
        self._part.setAccessibleName("part of the data")
        self._part.setToolTip("Training images are learned from; test images only ever measure the result")
        self._class.setAccessibleName("class")
        self._class.setToolTip("Show the images of one class only")
        self._search = QLineEdit(placeholderText="Go to image…", clearButtonEnabled=True)
        self._search.setAccessibleName("go to image")
        self._search.setToolTip("Number of an image; Return goes there")
        self._search.setFixedWidth(106)
        for box in (self._part, self._class):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._part.currentIndexChanged.connect(self._show_part)
        self._class.currentIndexChanged.connect(self._filter)
        self._search.returnPressed.connect(self._go_to)
        self._gallery_card = Card("Gallery", self._part, self._class, self._search)
        self.gallery = ImageGrid("gallery", "No data yet. Choose a dataset on the left: the built-in digits need no download.")
        self.gallery.activated.connect(self._choose)
        self._facts = label("", "dim")
        self._gallery_card.body.addWidget(self.gallery, 1)
        self._gallery_card.body.addWidget(self._facts)
        return self._gallery_card

    def _build_balance(self) -> Card:
        card = Card("Class balance")
        card.setFixedWidth(206)
        self._balance = ClassBalance()
        self._balance.clicked.connect(lambda row: self._class.setCurrentIndex(row + 1))
        self._balance_hint = label("Click a class to see its images.", "dim", wrap=True)
        card.body.addWidget(self._balance)
        card.body.addWidget(self._balance_hint)
        card.body.addStretch(1)
        return card

    def wire(self, actions: Mapping[str, QAction]) -> None:
        self._folder.clicked.connect(actions["open_folder"].trigger)

    def shown(self) -> None:
        self._list_choices()
        self._mark_choice()

    @property
    def dataset(self) -> Dataset | None:
        """The part of the data that is on show."""
        view = self.lab.state.data.value
        if view is None:
            return None
        return view.test if self._part.currentIndex() == 1 else view.train

    def _show_opening(self, what: str) -> None:
        self._facts.setText(f"Opening {what}…" if what else self._describe())

    def _show_data(self, view: DataInView | None) -> None:
        self._mark_choice()
        if view is None:
            return
        for box in (self._part, self._class):
            box.blockSignals(True)
            box.clear()
        self._part.addItem("training")
        if view.test is not None:
            self._part.addItem("test")
        self._class.addItems(["all classes", *view.train.class_names])
        for box in (self._part, self._class):
            box.blockSignals(False)
        self._show_part()

    def _mark_choice(self) -> None:
        view = self.lab.state.data.value
        for choice in self._choices:
            choice.set_chosen(view is not None and choice.known.name == view.spec)

    def _show_part(self) -> None:
        data = self.dataset
        if data is not None:
            self._balance.set_counts(data.class_counts(), tuple(data.class_names))
            self._filter()

    def _filter(self) -> None:
        data = self.dataset
        if data is None:
            return
        label_index = self._class.currentIndex() - 1
        everything = label_index < 0
        self._shown = np.arange(len(data)) if everything else np.flatnonzero(data.labels == label_index)
        images = data.images if everything else data.images[self._shown]
        self.gallery.set_images(
            images, lambda i: f"{data.class_names[data.labels[self._shown[i]]]}", "There are no images of this class."
        )
        self._facts.setText(self._describe())

    def _describe(self) -> str:
        data = self.dataset
        return (
            ""
            if data is None
            else f"{data.name} · {len(self._shown):,} of {len(data):,} images · {times(data.image_shape)} · {data.source}"
        )

    def _go_to(self) -> None:
        data, text = self.dataset, self._search.text().strip().replace(",", "")
        if data is None or not text:
            return
        if not text.isdecimal() or int(text) >= len(data):
            self._facts.setText(f"There is no image {text}; they are numbered from 0 to {len(data) - 1:,}.")
            return
        self._class.setCurrentIndex(0)
        self.gallery.choose(int(text))

    def _choose(self, position: int) -> None:
        data = self.dataset
        if data is not None:
            index = int(self._shown[position])
            part = "test" if self._part.currentIndex() == 1 else "training"
            name = data.class_names[data.labels[index]]
            self._facts.setText(f"{data.name} · {part} image {index:,} · a {name}")
            shows = int(name) if name.isdecimal() else None
            self.lab.state.probe.set(Probe(data.images[index], f"{data.name} {part} image {index:,}", shows, as_seen=True))
