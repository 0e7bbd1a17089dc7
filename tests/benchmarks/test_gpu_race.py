"""The race on a GPU, tried without one: processes, rounds, table and JSON. Nothing here depends on speed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import launches, window
from benchmarks.cases import GPU_NETWORKS
from benchmarks.gpu import contest, race
from benchmarks.gpu.contest import CaseError, Entry, layouts_of
from benchmarks.gpu.process import FIRST, Answers
from benchmarks.gpu.theirs import Torch
from nncore.errors import DeviceError

ROOT = Path(__file__).parents[2]
NETWORKS = {trained.name: trained for trained in GPU_NETWORKS}
MLP, CNN = NETWORKS["mnist-mlp"], NETWORKS["mnist-cnn"]


# Processes and rounds


class Known:
    """A side whose losses are known."""

    def describe(self) -> dict[str, str]:
        return {"device": "none"}

    def learner(self, trained: Any, batch: int, variant: str, layout: str, images: int) -> Any:
        self.made = [*getattr(self, "made", []), (trained.name, batch, variant, layout, images)]
        losses = iter(np.arange(10_000.0))
        return lambda steps: np.array([next(losses)])

    def answerer(self, trained: Any, count: int, variant: str, layout: str) -> Any:
        return lambda: np.arange(6.0).reshape(2, 3)


def test_a_process_keeps_what_it_has_made_for_a_case() -> None:
    side = Known()
    answers = Answers(side)
    wish = {"do": "train", "network": "mnist-cnn", "batch": 8, "variant": "eager", "layout": "default", "seconds": 0, "images": 40}
    for change in ({}, {}, {"layout": "channels_last"}, {}, {"batch": 16}, {}):
        found = answers.answer(wish | change)
        assert found["first_losses"] == [0.0, 1.0, 2.0, 3.0, 4.0][:FIRST] and found["rate"] > 0
    assert [made[1:4] for made in side.made] == [
        (8, "eager", "default"), (8, "eager", "channels_last"), (16, "eager", "default"), (8, "eager", "default"),
    ]  # fmt: skip
    assert answers.answer(wish | {"do": "answer"})["first_losses"] == [0.0, 1.0, 2.0]


class FakeProcess:
    """Answers as a process does, with speeds that are known, and remembers who was asked."""

    asked: list[tuple[str, str]]

    def __init__(self, name: str, speeds: dict[tuple[str, str], list[float]], losses: Sequence[float] = (2.0, 1.0)) -> None:
        self.name, self.speeds, self.losses = name, speeds, list(losses)
        self.described = {"device": "GPU of straw · 1 GB"} if name == "nncore" else {"torch": "0", "gpu": "GPU of straw"}

    def ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        if wish["do"] == "to_99":
            run = {"data": "mnist", "epochs": 4, "batch": 128, "test_accuracy": 0.991, "steps": 9, "seconds": 0.25}
            return run | {"parts": {"preparing": 0.05, "training": 0.2}}
        key = wish["variant"], wish["layout"]
        self.asked.append((wish["variant"] or "nncore", wish["layout"]))
        speeds = self.speeds[key]
        return {"rate": speeds.pop(0) if len(speeds) > 1 else speeds[0], "steps": 5, "first_losses": self.losses}


def fake_entries(losses: Sequence[float] = (2.0, 1.0)) -> list[Entry]:
    FakeProcess.asked = []
    ours: Any = FakeProcess("nncore", {("", ""): [1.0, 90.0, 100.0, 300.0]})
    theirs: Any = FakeProcess(
        "torch",
        {
            ("eager", "default"): [10.0], ("eager", "channels_last"): [20.0, 30.0, 20.0, 10.0],
            ("graph", "default"): [50.0], ("graph", "channels_last"): [40.0],
        },
        losses,
    )  # fmt: skip
    return [Entry("nncore", ours), Entry("eager", theirs, "eager"), Entry("graph", theirs, "graph")]


def test_rounds_alternate_and_the_better_layout_goes_on() -> None:
    found = contest.race(fake_entries(), "train", CNN, 128, rounds=3, seconds=0, images=60)
    assert FakeProcess.asked[:5] == [
        ("nncore", ""), ("eager", "default"), ("eager", "channels_last"), ("graph", "default"), ("graph", "channels_last"),
    ]  # fmt: skip
    one_round = [("nncore", ""), ("eager", "channels_last"), ("graph", "default")]
    assert FakeProcess.asked[5:] == [*one_round, *reversed(one_round), *one_round]
    assert found["layouts"] == {"nncore": "", "eager": "channels_last", "graph": "default"}
    assert found["rounds"] == {"nncore": [90.0, 100.0, 300.0], "eager": [30.0, 20.0, 10.0], "graph": [50.0] * 3}
    assert found["ratios"] == {"eager": 5.0, "graph": 2.0}
    assert found["alike"] == {"eager": True, "graph": True}


@pytest.mark.parametrize("losses", [(2.001, 1.0), (2.0, 1.05)])
def test_who_does_not_do_the_same_is_told(losses: Sequence[float], capsys: pytest.CaptureFixture[str]) -> None:
    taking_part = fake_entries(losses)
    found = contest.race(taking_part, "train", CNN, 128, rounds=1, seconds=0, images=60)
    assert found["alike"] == {"eager": False, "graph": False}
    race._print(found, taking_part)
    assert "NOT THE SAME as nncore: eager, graph" in capsys.readouterr().out


def test_what_is_below_the_goal_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    taking_part = fake_entries()
    found = contest.race(taking_part, "train", CNN, 128, rounds=3, seconds=0, images=60)
    for ratios, remark in (({"eager": 4.9, "graph": 1.5}, "eager"), ({"eager": 5.0, "graph": 1.4}, "graph")):
        race._print(found | {"ratios": ratios}, taking_part)
        assert capsys.readouterr().out.endswith(f"   below what is wanted: {remark}\n")
    race._print(found | {"ratios": {"eager": 4.9, "graph": 1.4}, "batch": 32}, taking_part)
    assert "wanted" not in capsys.readouterr().out


class Failing(FakeProcess):
    """Can do so many things that it is asked for, and then none."""

    left = 0

    def ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        if not self.left:
            raise CaseError("OutOfMemoryError: the GPU is full")
        self.left -= 1
        return super().ask(wish)


@pytest.mark.parametrize("asked", [0, 2, 3])
def test_who_fails_is_out_and_the_others_go_on(asked: int, capsys: pytest.CaptureFixture[str]) -> None:
    taking_part = fake_entries()
    failing: Any = Failing("torch", {("compile", "default"): [10.0], ("compile", "channels_last"): [5.0]})
    failing.left = asked
    taking_part.append(Entry("compile", failing, "compile"))
    found = contest.race(taking_part, "train", CNN, 128, rounds=3, seconds=0, images=60)
    assert found["failed"] == {"compile": "OutOfMemoryError: the GPU is full"}
    assert found["ratios"] == {"eager": 5.0, "graph": 2.0} and found["per_second"].keys() == {"nncore", "eager", "graph"}
    race._print(found, taking_part)
    assert capsys.readouterr().out.endswith(f"{'–':>20}   compile failed: OutOfMemoryError: the GPU is full\n")


def test_without_nncore_a_case_is_only_told(capsys: pytest.CaptureFixture[str]) -> None:
    taking_part = fake_entries()
    failing: Any = Failing("nncore", {})
    taking_part[0] = Entry("nncore", failing)
    found = contest.race(taking_part, "train", CNN, 128, rounds=1, seconds=0, images=60)
    assert found == {
        "do": "train", "network": "mnist-cnn", "batch": 128, "failed": {"nncore": "OutOfMemoryError: the GPU is full"}
    }  # fmt: skip
    race._print(found, taking_part)
    assert "nncore failed" in capsys.readouterr().out


def test_what_was_found_is_written_though_a_side_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def fakes(device: str, variants: Sequence[str]) -> Iterator[list[Entry]]:
        yield fake_entries()

    def lost(taking_part: Any, do: str, *_: Any) -> dict[str, Any]:
        if do == "answer":
            raise DeviceError("The GPU does not answer any more.")
        return contest.race(fake_entries(), do, CNN, 128, 1, 0, 60)

    monkeypatch.setattr(race, "entries", fakes)
    monkeypatch.setattr(race, "race", lost)
    out = tmp_path / "figures.json"
    assert race.main(["--device", "cuda-host", "--only", "mnist-cnn", "--batch", "128", "--out", str(out)]) == 2
    assert len(json.loads(out.read_text())["results"]) == 1
    assert capsys.readouterr().err == "The GPU does not answer any more.\n"


@pytest.mark.usefixtures("compiler")
def test_a_process_tells_of_a_case_that_failed_and_takes_the_next() -> None:
    process = contest.Process("nncore", "cuda-host", "fp32")
    wish = {"do": "train", "network": "mnist-mlp", "batch": 4, "variant": "", "layout": "", "seconds": 0, "images": 40}
    try:
        with pytest.raises(CaseError, match="KeyError: 'images'"):
            process.ask({name: value for name, value in wish.items() if name != "images"})
        assert process.ask(wish)["rate"] > 0
    finally:
        process.close()


def test_layouts_matter_to_convolutions_only() -> None:
    assert layouts_of(CNN) == ("default", "channels_last") and layouts_of(MLP) == ("default",)


def test_the_command_writes_all_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @contextmanager
    def fakes(device: str, variants: Sequence[str]) -> Iterator[list[Entry]]:
        assert (device, variants) == ("cuda-host", ("eager", "graph"))
        yield fake_entries()

    monkeypatch.setattr(race, "entries", fakes)
    monkeypatch.setattr(window, "why_not", lambda: "there is no display")
    out = tmp_path / "figures.json"
    arguments = ["--device", "cuda-host", "--only", "mnist-cnn", "--batch", "128", "--answers", "1", "--variants", "eager,graph"]
    assert race.main([*arguments, "--rounds", "3", "--out", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert [(found["do"], found["batch"]) for found in figures["results"]] == [("train", 128), ("answer", 1)]
    assert figures["results"][0]["rounds"]["nncore"] == [90.0, 100.0, 300.0]
    assert len(figures["to_99"]) == 3 and figures["torch"]["gpu"] == "GPU of straw" and figures["window"] is None
    said = capsys.readouterr().out
    assert f"{'mnist-cnn, batch 128':27}{'100':>20}{'20 (5.00)':>20}{'50 (2.00)':>20}\n" in said
    assert "mnist-cnn, one image" in said
    assert (
        "99.10% of the test images are right after 0.250 s" in said and "The window was not measured: there is no display." in said
    )


@pytest.mark.usefixtures("compiler")
def test_the_whole_race_runs_in_processes_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: nothing to race against")
    out = tmp_path / "figures.json"
    arguments = ["--device", "cuda-host", "--only", "mlp", "--batch", "4", "--answers", "1,3", "--images", "40", "--rounds", "2"]
    arguments += ["--seconds", "0", "--variants", "eager,graph", "--parts", "train,answer", "--out", str(out)]
    done = subprocess.run([sys.executable, "-m", "benchmarks", "gpu", *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())["results"]
    assert [(found["do"], found["batch"]) for found in results] == [("train", 4), ("answer", 1), ("answer", 3)]
    for found in results:
        assert found["alike"] == {"eager": True, "graph": True}
        assert {name: len(rates) for name, rates in found["rounds"].items()} == {"nncore": 2, "eager": 2, "graph": 2}


# Without a GPU


def test_without_a_gpu_it_ends_with_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "gpu", "--device", "cuda:99"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 2
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1


def test_without_pytorch_it_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceError, match="PyTorch is not installed"):
        Torch("cuda", tf32=False)

    @contextmanager
    def no_torch(device: str, variants: Sequence[str]) -> Iterator[list[Entry]]:
        Torch(device, tf32=False)
        yield []

    monkeypatch.setattr(race, "entries", no_torch)
    assert race.main(["--device", "cuda-host"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1


def test_a_process_that_cannot_run_says_why() -> None:
    with pytest.raises(DeviceError, match="no device called 'nothing'"):
        contest.Process("nncore", "nothing", "fp32")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--parts", "train,nothing"], "there is no 'nothing'; there are train, answer, mnist, window"),
        (["--only", "nothing"], "no network's name holds 'nothing'; there are mnist-cnn, svhn-lenet, mnist-mlp, batch norm"),
        (["--batch", "32,many"], "takes whole numbers of at least 1, not 'many'"),
        (["--rounds", "0"], "takes whole numbers of at least 1, not '0'"),
    ],
)
@pytest.mark.parametrize("command", [race.main, launches.main])
def test_an_option_that_makes_no_sense_is_one_line(
    command: Any, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if command is launches.main and arguments[0] in ("--parts", "--rounds"):
        said = "unrecognized arguments"
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("compiler")
def test_a_profiler_gets_the_steps_that_it_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--device", "cuda-host", "--only", "mlp", "--batch", "4,6", "--images", "20", "--steps", "7"]
    assert race.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" from ")[0] for line in lines] == ["mnist-mlp, batch 4: 7 steps,", "mnist-mlp, batch 6: 7 steps,"]
