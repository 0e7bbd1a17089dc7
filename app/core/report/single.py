"""The report on one run, as a student would hand it in."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

import numpy as np

from app.core.calibration import calibration
from app.core.repeat import command_of
from app.core.report.blocks import Block, Command, Figure, Notice, Report, Row, Section, Table, Text, Tiles
from app.core.report.facts import DataFacts, RunFacts, image_shape_of
from app.core.report.network_drawing import network_drawing
from app.core.report.pictures import MOST_CLASSES, confusion_drawing, first_filters, picture_grid
from app.core.report.plots import Series, calibration_plot, plot
from app.core.report.recipe import recipe_tables
from app.core.runs.marks import batch_sizes
from app.core.scores import class_scores, most_confused
from nncore.arrays import Array, shape_text
from nncore.errors import ConfigError
from nncore.files import size_text
from nncore.metrics import Evaluation
from nncore.training.config import SETTINGS
from nncore.training.epochs import Epochs
from nncore.training.values import listed

WIDTH = 1016
"""The width of a page's content, in pixels of a screen."""
EXAMPLES = 32
"""Pictures of each kind: two rows of them."""


def report(facts: RunFacts) -> Report:
    """The report on one run. What is not there is said in its place."""
    run = facts.run
    parts = [
        Section("At a glance", tuple(_glance(facts))),
        Section("Network", tuple(_network(facts))),
        Section("Recipe", tuple(_recipe(facts))),
        Section("Data", tuple(_data(facts))),
        Section("Training", tuple(_curves(facts))),
        *_measured(facts),
        Section("First filters", tuple(_filters(facts))),
        Section("Time and size", tuple(_size(facts))),
        Section("Train it again", tuple(_again(facts))),
    ]
    subtitle = f"{run.network} trained on {facts.data_title}, {run.created:%d %B %Y, %H:%M}, {run.status}"
    return Report(run.name, subtitle, tuple(parts))


def percent(share: float | None, digits: int = 2) -> str:
    """0.9876 as `98.76 %`; a dash where there is nothing to say."""
    return "–" if share is None or not np.isfinite(share) else f"{share * 100:.{digits}f} %"


def _glance(facts: RunFacts) -> Iterator[Block]:
    run = facts.run
    items = [
        (percent(run.test_accuracy), "of the test images right"),
        (percent(run.val_accuracy), "of the held-out images right, at best"),
        (f"{run.steps:,}", "steps"),
        (f"{run.seconds:,.1f} s", "training time"),
    ]
    if facts.network is not None:
        items.insert(2, (f"{facts.network.parameter_count:,}", "parameters"))
    yield Tiles(tuple(item for item in items if item[0] != "–"))
    if run.tags:
        yield Text(f"Tags: {', '.join(run.tags)}", dim=True)
    for paragraph in filter(None, run.notes.split("\n")):
        yield Text(paragraph)


def _network(facts: RunFacts) -> Iterator[Block]:
    network = facts.network
    if network is None:
        yield Notice(f"What the network looked like is not known. {facts.no_weights}")
        return
    yield Figure(network_drawing(network), "What each layer makes of an image, with its shape; a stack is a layer of feature maps.")
    layers = network.summary()
    rows = [
        (layer.name, layer.description, shape_text(layer.output_shape), f"{layer.parameters:,}", f"{layer.multiply_adds:,}")
        for layer in layers[:MOST_ROWS]
    ]
    total = ("all layers", "", "", f"{network.parameter_count:,}", f"{sum(layer.multiply_adds for layer in layers):,}")
    strong = frozenset((len(rows), column) for column in range(5))
    head = ("layer", "what it is", "output", "parameters", "multiply-adds an image")
    yield Table(head, (*rows, total), frozenset({0, 1, 2}), strong)


MOST_ROWS = 100
"""Layers that the table names; the last row counts them all."""


def _recipe(facts: RunFacts) -> Iterator[Block]:
    if facts.config is None:
        yield Notice(facts.no_config)
        return
    yield from recipe_tables(facts.run.network, facts.config)


def _data(facts: RunFacts) -> Iterator[Block]:
    run, data = facts.run, facts.data
    rows = [("name", facts.data_title), ("opened as", run.data)]
    if data is not None:
        rows += [
            ("images to learn from", f"{data.learnt:,}"),
            ("held out to validate on", "not known" if data.held_out is None else f"{len(data.held_out):,}"),
            ("test images", "none" if data.test is None else f"{len(data.test):,}"),
            ("an image", f"{shape_text(data.train.image_shape)} of {'grey' if data.train.image_shape[2] == 1 else 'colour'}"),
            ("classes", _classes(data)),
        ]
    elif run.class_count is not None:
        rows.append(("classes", f"{run.class_count:,}"))
    if run.image_limit is not None:
        rows.append(("limit", f"{run.image_limit:,} images, drawn with the seed"))
    rows.append(("SHA-256 of images and labels", run.checksum or "not kept by the version that trained it"))
    yield Table(("", ""), tuple(rows), frozenset({0, 1}))
    if data is None:
        yield Notice(facts.no_data)
        return
    chosen = _of_each_class(data.train.labels, EXAMPLES)
    captions = [(data.train.class_name(index), "dim") for index in chosen]
    pictures = [data.train.images[index] for index in chosen]
    yield Figure(
        picture_grid("Examples of the data", pictures, captions, WIDTH), "Examples of each class, as the network sees them."
    )


def _curves(facts: RunFacts) -> Iterator[Block]:
    steps, losses, right = facts.training
    looked, val_losses, val_right = facts.validation
    if not len(steps) and not len(looked):
        yield Notice("No curves were kept of this run.")
        return
    step, best = facts.best_step, facts.run.val_accuracy
    mark = None if step is None or best is None else (step, best, f"best {percent(best)}")
    loss = [Series("training", steps, losses, "accent", noisy=True), Series("held-out", looked, val_losses, "second")]
    accuracy = [Series("training", steps, right, "accent", noisy=True), Series("held-out", looked, val_right, "second")]
    yield Row((
        Figure(plot("Loss over the steps", loss, logarithmic=True), "Loss, on a logarithmic axis."),
        Figure(plot("Accuracy over the steps", accuracy, percent=True, mark=mark), "Accuracy."),
    ))  # fmt: skip
    words = "The training curves are smoothed; the pale lines are each step's own."
    if mark is not None:
        words += f" The weights are those of step {step:,}, the best on all held-out images."
    yield Text(words, dim=True)


def _measured(facts: RunFacts) -> Iterator[Section]:
    """The sections that need answers: confusion, examples, calibration; one notice where there are none."""
    data = facts.data
    if data is None or data.evaluation is None or data.measured is None or not len(data.measured):
        reason = facts.no_evaluation or "There are no images to measure it on."
        yield Section("Answers", (Notice(f"The network was not measured for this report. {reason}"),))
        return
    yield Section("Confusion", tuple(_confusion(data, data.evaluation)))
    yield Section("Right and wrong", tuple(_examples(data, data.evaluation)))
    found = calibration(data.evaluation)
    words = (
        f"Where the network is 90 % sure, is it right nine times in ten? A bar above the dashed line: right more often than it "
        f"believes. The expected calibration error, the mean distance from that line, is {percent(found.error)}. (Guo et al., "
        "On Calibration of Modern Neural Networks, 2017; ten bins.)"
    )
    rows = tuple(
        (f"{place * 10} to {place * 10 + 10} %", f"{count:,}", percent(sure) if count else "–", percent(right) if count else "–")
        for place, (count, sure, right) in enumerate(zip(found.counts, found.confidences, found.accuracies, strict=True))
    )
    table = Table(("sure", "answers", "mean sureness", "right"), rows)
    yield Section("Calibration", (Row((Figure(calibration_plot(found)), table)), Text(words)))


def _confusion(data: DataFacts, found: Evaluation) -> Iterator[Block]:
    counts, names = found.confusion, _names(data)
    images = "image" if len(found.labels) == 1 else "images"
    yield Text(
        f"On the {len(found.labels):,} {data.measured_part} {images}: {percent(found.accuracy)} right, loss {found.loss:.4f}."
    )
    scores = class_scores(counts)
    rows = [
        (names[place], f"{score.images:,}", *(percent(value) for value in (score.precision, score.recall, score.f1)))
        for place, score in enumerate(scores)
    ]
    table = Table(("class", "images", "precision", "recall", "F1"), tuple(rows))
    if len(counts) <= MOST_CLASSES:
        caption = "How often each class was taken for each class; the stronger the colour, the larger its share of the row."
        drawing = Figure(confusion_drawing(counts, names), caption)
        yield Row((drawing, table)) if len(counts) <= 20 else drawing
    if len(counts) > 20:
        yield table
    often = most_confused(counts)
    if often:
        words = ", ".join(f"{names[shows]} taken for {names[answer]} ({count:,})" for shows, answer, count in often)
        yield Text(f"Most often: {words}.", dim=True)
    yield Text(
        "Precision: how often the answer was right. Recall: how many of the class were found. F1: their harmonic mean.", dim=True
    )


def _examples(data: DataFacts, found: Evaluation) -> Iterator[Block]:
    assert data.measured is not None, "told by the caller"
    names, sure = _names(data), found.probabilities.max(axis=-1)
    wrong = found.mistakes()[:EXAMPLES]
    right = np.flatnonzero(found.predicted == found.labels)
    right = right[_of_each_class(found.labels[right], EXAMPLES)]
    if len(right):
        captions = [(f"{names[found.predicted[index]]} · {sure[index] * 100:.0f} %", "dim") for index in right]
        pictures = [data.measured.images[index] for index in right]
        yield Figure(picture_grid("Right answers", pictures, captions, WIDTH), "Right, with how sure the network is.")
    if not len(wrong):
        yield Text("Every answer is right.")
        return
    captions = [
        (f"{names[found.labels[index]]}→{names[found.predicted[index]]} {sure[index] * 100:.0f} %", "second") for index in wrong
    ]
    pictures = [data.measured.images[index] for index in wrong]
    words = "Wrong, the most confident first: what the image shows → the answer, with how sure the network is of it."
    yield Figure(picture_grid("The most confident mistakes", pictures, captions, WIDTH), words)


def _filters(facts: RunFacts) -> Iterator[Block]:
    if facts.network is None or not facts.is_trained:
        yield Notice(facts.no_weights)
        return
    found = first_filters(facts.network, image_shape_of(facts))
    if found is None:
        yield Notice("The first weights of this network are no images.")
        return
    words = (
        "Blue is negative, white zero, orange positive" if found.is_grey else "Each colour is that colour's weight, grey is zero"
    )
    caption = f"What the units of {found.layer} look for. {words}; the strongest colour stands for ±{found.most:.2g}."
    pictures = found.pictures
    yield Figure(picture_grid(f"The weights of {found.layer}", pictures, [("", "dim")] * len(pictures), WIDTH, 48), caption)


def _size(facts: RunFacts) -> Iterator[Block]:
    run, network = facts.run, facts.network
    rows = [("training time", f"{run.seconds:,.1f} s"), ("steps", f"{run.steps:,}")]
    if facts.config is not None and run.seconds > 0:
        seen = _images_seen(facts)
        rows += [("images seen in training", f"{seen:,}"), ("speed of the training", f"{seen / run.seconds:,.0f} images a second")]
    if network is not None:
        adds = sum(layer.multiply_adds for layer in network.summary())
        rows += [("parameters", f"{network.parameter_count:,}"), ("multiply-adds an image, forward", f"{adds:,}")]
    if facts.weights_size:
        rows.append(("weights file", size_text(facts.weights_size)))
    yield Table(("", ""), tuple(rows), frozenset({0}))


UNKNOWN_COUNT = 10**15
"""More images than a training takes: an epoch of them never ends."""


def _images_seen(facts: RunFacts) -> int:
    """Images that all steps took together; where the data is not here, as if the last batch of an epoch were whole too."""
    assert facts.config is not None, "told by the caller"
    learnt = facts.data.learnt if facts.data is not None and facts.data.learnt else UNKNOWN_COUNT
    place = Epochs(learnt, facts.config.batch_size, batch_sizes(facts.changes)).place(facts.run.steps)
    return place.epoch * learnt + place.taken


def _again(facts: RunFacts) -> Iterator[Block]:
    try:
        yield Command(command_of(facts.run))
        if facts.changes:
            titles = dict.fromkeys(SETTINGS[mark.kind].title.lower() for mark in facts.changes)
            yield Notice(f"Changed while it was trained, which the command does not repeat: {listed(titles)}.")
        else:
            yield Text("The same data, seed and versions give the same weights.", dim=True)
    except ConfigError as error:
        yield Notice(str(error))
    kept = facts.run.versions or {}
    rows = [(f"{name}, in the training", str(value)) for name, value in kept.items()]
    rows += [
        ("digitlab, for this report", version("digitlab")),
        ("Python", platform.python_version()),
        ("NumPy", np.__version__),
        ("system", platform.platform()),
        ("written", f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"),
    ]
    yield Table(("", ""), tuple(rows), frozenset({0, 1}))


def _classes(data: DataFacts) -> str:
    names = _names(data)
    return f"{len(names):,}: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"


def _names(data: DataFacts) -> list[str]:
    """The name of each class, and of each that the network knows beyond them its number."""
    names = list(data.train.class_names)
    known = 0 if data.evaluation is None else data.evaluation.probabilities.shape[1]
    return names + [str(number) for number in range(len(names), known)]


def _of_each_class(labels: Array, count: int) -> Array:
    """Indices of `count` images (or of all, where there are fewer), as evenly over the classes as can be, sorted by class."""
    if not len(labels):
        return np.empty(0, np.int64)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order], side="left")
    turn = np.arange(len(labels)) - starts  # the place of each image within its class
    chosen = order[np.argsort(turn, kind="stable")[:count]]
    return chosen[np.argsort(labels[chosen], kind="stable")]
