"""The report on a run, and the comparison of several."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.colors import LIGHT
from app.core.report import comparison, gather, html_page, report
from app.core.report.facts import RunFacts
from app.core.runs import RunStore
from app.printing import write_pdf
from models.presets import preset
from nncore.data import open_dataset
from nncore.errors import ConfigError, DataError
from nncore.layers import Flatten, Linear
from nncore.metrics import Evaluation
from nncore.network import Network
from nncore.prediction import Predictor
from nncore.training.batches import Batches
from nncore.training.config import TrainConfig
from nncore.weights import load_weights, save_weights
from tests.app.trained_runs import train

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


@pytest.fixture
def store(isolated) -> RunStore:
    return RunStore()


class Reader(HTMLParser):
    """What is in a page: its tags with their attributes, and its text."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data}\n"


def page_of(facts: RunFacts) -> tuple[str, Reader]:
    page = html_page(report(facts))
    return page, Reader(page)


def assert_self_contained(reader: Reader, page: str) -> None:
    """Nothing is loaded from anywhere, and nothing can run."""
    for tag, attributes in reader.tags:
        assert tag not in ("script", "iframe", "object", "embed", "form", "base"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            if name in ("src", "href", "xlink:href"):
                assert value.startswith("data:"), value
    assert "url(" not in page and "@import" not in page


def test_a_report_tells_what_was_measured(store):
    run = store.note(store.tag(train(store), ["for class"]), "my first network")
    page, reader = page_of(gather(store, run))
    assert_self_contained(reader, page)
    network, _ = load_weights(store.weights_of(run))
    found = Predictor(network).evaluate(open_dataset("synthetic", "test"))
    cells = reader.text.split("\n")
    for text in (
        run.name,
        "my first network",
        "Tags: for class",
        f"{found.accuracy * 100:.2f} %",
        f"On the 2,000 test images: {found.accuracy * 100:.2f} % right, loss {found.loss:.4f}.",
        f"{network.parameter_count:,}",
        run.checksum,
        "digitlab train --data synthetic --epochs 1 --batch-size 16 --schedule constant --milestones '' --validate-every 5 "
        "--seed 0 --limit 240",
        "200",  # learned from
        "40",  # held out
        "conv1",
        "28×28×16",
        "240 images, drawn with the seed",
    ):
        assert text in cells, text
    for count in found.confusion[found.confusion > 0]:
        assert f"{count:,}" in cells
    (precision,) = {row["precision"] for row in found.per_class() if row["digit"] == 3}
    assert f"{precision * 100:.2f} %" in cells
    pictures = [attributes for tag, attributes in reader.tags if tag == "image"]
    assert len(pictures) == 32 + 32 + min(32, len(found.mistakes())) + 16, "examples, right, wrong, filters"


def test_the_sections_stand_in_order_and_everything_is_drawn_in_colours_that_the_page_defines(store):
    page, _ = page_of(gather(store, train(store)))
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "At a glance", "Network", "Recipe", "Data", "Training", "Confusion", "Right and wrong", "Calibration", "First filters",
        "Time and size", "Train it again",
    ]  # fmt: skip
    used = set(re.findall(r"var\(--(\w+)\)", page))
    assert {"accent", "second", "panel", "text"} <= used <= vars(LIGHT).keys()
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_what_differs_from_the_preset_comes_first(store):
    changed, _ = page_of(gather(store, train(store, learning_rate=0.0025)))
    assert changed.index("what differs") < changed.index("0.0025") < changed.index(">setting<")
    same = replace(gather(store, train(store)), config=preset("mnist-cnn").training)
    assert "Everything is as in mnist-cnn&#x27;s own recipe." in html_page(report(same))


def test_the_most_confident_mistakes_are_shown_first(store):
    run = train(store)
    network, _ = load_weights(store.weights_of(run))
    found = Predictor(network).evaluate(open_dataset("synthetic", "test"))
    _, reader = page_of(gather(store, run))
    worst = found.mistakes()[:32]
    sure = found.probabilities.max(axis=1)
    expected = [f"{found.labels[i]}→{found.predicted[i]} {sure[i] * 100:.0f} %" for i in worst]
    assert [line for line in reader.text.split("\n") if re.fullmatch(r"\d→\d \d+ %", line)] == expected


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of pictures by class, some of whose classes have names that mean something to HTML."""
    digits = open_dataset("synthetic").limit(100, 0)
    names = [f"{place} <b>&'\"" if place < 3 else f"class {place}" for place in range(10)]
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        target = tmp_path / "<i>pictures & more" / names[label] / f"{place}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(target)
    return tmp_path / "<i>pictures & more"


def test_data_without_a_test_part_is_measured_on_its_held_out_images(store, folder):
    run = train(store, str(folder))
    facts = gather(store, run)
    held_out = Batches(facts.data.train, facts.config).validation_data
    assert facts.data.measured_part == "held-out" and len(held_out) == 13
    assert np.array_equal(facts.data.evaluation.labels, held_out.labels)
    _, reader = page_of(facts)
    assert f"On the 13 held-out images: {facts.data.evaluation.accuracy * 100:.2f} % right" in reader.text
    assert facts.data.evaluation.accuracy == run.val_accuracy


def test_names_that_mean_something_to_html_are_only_text(store, folder):
    run = train(store, str(folder), name="x")
    run = replace(run, notes=EVIL, tags=(EVIL[:30],), versions={EVIL: EVIL}, status=EVIL)
    page, reader = page_of(gather(store, run))
    assert_self_contained(reader, page)
    assert EVIL in reader.text and "0 <b>&'\"" in reader.text and str(folder) in reader.text
    assert not [tag for tag, attributes in reader.tags if tag in ("i", "script") or "onerror" in attributes]


def test_a_report_without_the_data_says_so_and_tells_the_rest(store, folder):
    run = train(store, str(folder))
    shutil.rmtree(folder)
    facts = gather(store, run)
    page, reader = page_of(facts)
    assert facts.data is None and facts.no_data.startswith("The data cannot be opened")
    assert reader.text.count(facts.no_data) == 2, "where the data would stand, and where the answers would"
    assert run.checksum in reader.text and "<polyline" in page and "What the units of conv1 look for" in reader.text
    assert "Confusion" not in reader.text


def test_data_that_does_not_fit_into_memory_is_told_in_its_place(store, monkeypatch):
    run = train(store)
    monkeypatch.setattr("app.core.report.facts.Batches", lambda *_: (_ for _ in ()).throw(MemoryError))
    _, reader = page_of(gather(store, run))
    assert "so what needs it is left out: There is not enough memory for it." in reader.text


def test_other_data_in_its_place_is_not_measured(store, folder):
    run = train(store, str(folder))
    next(folder.glob("*/*.png")).unlink()
    facts = gather(store, run)
    assert facts.data is None and "does not hold the images" in facts.no_data
    with pytest.raises(DataError, match="does not hold the images"):
        gather(store, run, str(folder))


def test_data_that_has_moved_is_found_where_it_is_said_to_be(store, folder):
    run = train(store, str(folder))
    moved = folder.rename(folder.with_name("moved"))
    assert gather(store, run).data is None
    facts = gather(store, run, str(moved))
    assert facts.data.evaluation.accuracy == run.val_accuracy


def test_a_run_that_was_cut_off_has_a_report(store):
    run = store.create("cut off", "mnist-cnn", "synthetic", TrainConfig().as_dict(), image_limit=60)
    page, reader = page_of(gather(store, run))
    assert_self_contained(reader, page)
    assert "This run has no weights yet" in reader.text and "No curves were kept of this run." in reader.text
    assert "105,866" in reader.text, "the network as it was to be"


def test_damaged_weights_are_told_in_their_place(store):
    run = train(store)
    store.weights_of(run).write_bytes(b"nonsense")
    page, reader = page_of(gather(store, run))
    assert reader.text.count("is damaged or is no weights file") == 2 and "<polyline" in page


def test_settings_and_networks_of_another_version_are_told_in_their_place(store):
    run = train(store)
    for config in ({"from the future": EVIL}, {"epochs": EVIL}, {}):
        page, reader = page_of(gather(store, replace(run, config=config, network="unknown", checksum=None, image_limit=None)))
        assert_self_contained(reader, page)
        assert "so no command repeats the run" in reader.text
        assert ("cannot be read" in reader.text) == bool(config)


def test_a_diverged_training_is_drawn(store):
    run = store.create("diverged", "mnist-cnn", "synthetic", TrainConfig().as_dict(), image_limit=60)
    store.add_metrics(run, [("train", step, 10.0**step if step < 30 else float("inf"), 0.1) for step in range(1, 40)])
    store.add_metrics(run, [("validation", 10, float("nan"), 0.1)])
    page, _ = page_of(gather(store, run))
    assert "<polyline" in page and not re.search(r'="[^"]*\b(nan|inf)\b', page)


@pytest.mark.parametrize("network", ["mlp", "mnist-mlp"])
def test_the_filters_of_a_network_without_convolutions_are_pictures_too(store, network):
    _, reader = page_of(gather(store, train(store, network=network)))
    assert "What the units of linear1 look for" in reader.text


def test_runs_are_compared(store):
    runs = [train(store, name="one"), train(store, name="two", learning_rate=0.004, schedule="cosine")]
    runs.append(train(store, network="two-layer", name="three"))
    page = html_page(comparison([gather(store, run, with_data=False) for run in runs]))
    reader = Reader(page)
    assert_self_contained(reader, page)
    cells = reader.text.split("\n")
    assert "3 runs compared" in cells and cells.count("two") >= 5, "figures, three plots, differences, command"
    for text in ("0.004", "cosine", "two-layer", f"{runs[1].test_accuracy * 100:.2f} %", "Learning rate"):
        assert text in cells
    assert "Batch size" not in cells, "which is the same"
    best = max(run.test_accuracy for run in runs)
    assert f'<td class="strong">{best * 100:.2f} %</td>' in page
    assert "do not tell which is the better one" not in reader.text


def test_runs_on_different_data_are_not_called_better(store, folder):
    runs = [train(store, name="one"), train(store, str(folder), name="two")]
    reader = Reader(html_page(comparison([gather(store, run, with_data=False) for run in runs])))
    assert "do not tell which is the better one" in reader.text


def test_too_many_runs_are_one_sentence(store):
    run = store.create(None, "mlp", "synthetic", {})
    with pytest.raises(ConfigError, match="24 runs"):
        comparison([gather(store, run, with_data=False)] * 25)


@pytest.mark.parametrize("classes", [3, 30, 200])
def test_any_number_of_classes_has_a_report(store, classes, rng):
    facts = gather(store, train(store))
    labels = rng.integers(0, classes, 400)
    probabilities = rng.dirichlet(np.ones(classes), 400).astype(np.float32)
    images = replace(facts.data.test.subset(slice(400)), labels=labels, class_names=[f"class {n}" for n in range(classes)])
    data = replace(facts.data, train=images, measured=images, evaluation=Evaluation(1.0, probabilities, labels))
    page, reader = page_of(replace(facts, data=data))
    assert_self_contained(reader, page)
    cells = reader.text.split("\n")
    assert f"class {classes - 1}" in cells and "Most often: " in reader.text
    assert ("Confusion matrix" in page) == (classes < 200)


def test_everything_right_has_no_mistakes_to_show(store):
    facts = gather(store, train(store))
    found = facts.data.evaluation
    right = Evaluation(0.0, np.eye(10, dtype=np.float32)[found.labels], found.labels)
    _, reader = page_of(replace(facts, data=replace(facts.data, evaluation=right)))
    assert "Every answer is right." in reader.text and "100.00 % right" in reader.text and "Most often" not in reader.text


def test_weights_of_another_network_are_not_measured(store):
    run, other = train(store), train(store, network="two-layer")
    save_weights(store.weights_of(run), Network([Flatten(), Linear(10)], (8, 8, 1)), {"step": 10**12})
    page, reader = page_of(gather(store, run))
    assert "No part of Drawn digits fits the network" in reader.text and "<polyline" in page
    assert gather(store, run).best_step is None and gather(store, other).best_step == other.steps


def test_figures_that_make_no_sense_leave_the_axes_whole(store):
    run = train(store)
    page, _ = page_of(gather(store, replace(run, val_accuracy=1e300, seconds=1e-300)))
    assert not re.search(r'="[^"]*\b(nan|inf)\b', page)
    store.add_metrics(run, [("train", -(10**9), 1.0, 0.5)])
    assert gather(store, run).training[0].min() >= 0


# -- the command


def test_the_command_writes_a_page(store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train(store, name="my run")
    assert main(["runs", "report", "my run"]) == 0
    assert capsys.readouterr() == ("Wrote my run.html\n", "")
    assert Reader((tmp_path / "my run.html").read_text("utf-8")).text.count("my run") >= 2
    train(store, name="other")
    assert main(["runs", "report", "my run", "other", "--json", "--out", "both.htm"]) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "finished", "runs": ["my run", "other"], "html": "both.htm"}
    assert "2 runs compared" in (tmp_path / "both.htm").read_text("utf-8")


def test_the_command_writes_pdfs(store, tmp_path, monkeypatch, capsys, qapp):
    monkeypatch.chdir(tmp_path)
    train(store, name="one")
    assert main(["runs", "report", "one", "--pdf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "finished", "runs": ["one"], "html": "one.html", "pdf": "one.pdf"}
    assert main(["runs", "report", "one", "one", "--out", "alone.PDF"]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["alone.PDF", "one.html", "one.pdf"]
    for name in ("one.pdf", "alone.PDF"):
        content = (tmp_path / name).read_bytes()
        assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
        assert 3 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 8


def test_the_page_needs_no_qt_and_the_pdf_no_display(store, tmp_path):
    train(store, name="one")
    code = (
        "import os, sys; [os.environ.pop(name, None) for name in ('DISPLAY', 'WAYLAND_DISPLAY')]\n"
        "os.environ['QT_QPA_PLATFORM'] = 'xcb'\n"
        "from app.cli import main\n"
        "assert main(['runs', 'report', 'one', '--out', sys.argv[1] + '/one.html']) == 0\n"
        "assert not [name for name in sys.modules if 'PySide' in name]\n"
        "assert main(['runs', 'report', 'one', '--out', sys.argv[1] + '/one.pdf']) == 0\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "one.pdf").exists()


def test_a_place_that_cannot_be_written_to_is_one_line(store, tmp_path, capsys):
    run = train(store, name="one")
    (tmp_path / "file").write_text("in the way")
    for name in ("one.html", "one.pdf"):
        assert main(["runs", "report", run.name, "--out", str(tmp_path / "file" / name)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1 and "Could not write" in printed.err


def test_a_pdf_of_a_hostile_run_is_drawn_without_a_warning(store, folder, tmp_path, qapp):
    """pytest-qt fails the test where Qt warns, as of a drawing that it cannot read."""
    run = train(store, str(folder))
    write_pdf(report(gather(store, replace(run, notes=EVIL, versions={EVIL: EVIL * 100}))), tmp_path / "evil.pdf")
    assert (tmp_path / "evil.pdf").read_bytes().startswith(b"%PDF-")


def test_a_row_of_the_table_that_is_damaged_has_a_report(store, tmp_path, capsys):
    train(store, name="one")
    with closing(sqlite3.connect(store.folder / "runs.sqlite")) as database, database:
        database.execute("UPDATE runs SET config = '{', seconds = 'x', network = x'00', data = x'01', created = 'then'")
    assert main(["runs", "report", "one", "--out", str(tmp_path / "one.html")]) == 0
    text = Reader((tmp_path / "one.html").read_text("utf-8")).text
    assert "damaged" in text and "The data cannot be opened" in text
