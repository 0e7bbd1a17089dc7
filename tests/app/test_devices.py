"""Choosing a device on the command line and in the window, with stand-ins for CuPy and for the GPU's backend."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from PIL import Image
from rich.console import Console

from app.cli import main
from app.core.engine import ChosenDevice
from app.core.runs import RunStore
from app.core.session import Job
from app.core.settings import Settings
from app.training import Status
from models.presets import preset
from nncore.backend import devices
from nncore.data import synthetic
from nncore.errors import DeviceError
from nncore.plan import Plan
from nncore.training.config import TrainConfig
from tests.nncore.fake_cupy import GB, Card, CudaError, fake_cupy, install, install_backend, uninstall

TRAIN = ("train", "--model", "two-layer", "--data", "synthetic", "--limit", "120", "--epochs", "1", "--json")
NO_DRIVER = CudaError(35, "cudaErrorInsufficientDriver: CUDA driver version is insufficient")
TWO = (Card(free=round(79.1 * GB)), Card("NVIDIA L4", 24 * GB, 20 * GB, (8, 9)))


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr("nncore.backend.devices._last_found", None)
    install(monkeypatch, fake_cupy(error=NO_DRIVER, driver=0))


@pytest.fixture
def two_gpus(monkeypatch):
    """Two GPUs, for which the CPU stands in; the names of the backends that are made."""
    monkeypatch.setattr("nncore.backend.devices._last_found", None)
    install(monkeypatch, fake_cupy(TWO))
    return install_backend(monkeypatch)


@pytest.fixture
def terminal(monkeypatch):
    """What is said on standard error as if that were a terminal."""
    said = io.StringIO()
    monkeypatch.setattr("app.commands.device.console", Console(file=said, force_terminal=True, width=80, highlight=False))
    return said


# -- the command line


@pytest.mark.parametrize(
    "command", [TRAIN, ("evaluate", "--data", "synthetic"), ("predict", "there-is-none.png")], ids=lambda c: c[0]
)
@pytest.mark.parametrize(
    ("cards", "name", "said"),
    [
        ((), "cuda", "There is no NVIDIA GPU in this computer that its driver can use; choose the device cpu."),
        ((Card(),), "cuda:7", "There is no GPU number 7; there is one, cuda:0 (NVIDIA H100)."),
        ((Card(free=99 * 2**20),), "cuda:0", "NVIDIA H100 has 99 MB of its memory free, and a training takes at least 256 MB; "),
        ((), "abacus", "There is no device called 'abacus'; there are auto, cpu, cuda, cuda:1, reference, cuda-host."),
    ],
    ids=["none", "number", "memory", "name"],
)
def test_a_device_that_cannot_be_used_is_one_line_and_nothing_begins(monkeypatch, capsys, command, cards, name, said):
    install(monkeypatch, fake_cupy(cards))
    assert main([*command, "--device", name]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith(f"digitlab: {said}") and printed.err.count("\n") == 1
    assert RunStore().list() == []


def test_auto_trains_and_evaluates_on_the_gpu_and_predicts_on_the_cpu(two_gpus, tmp_path, capsys):
    assert main(TRAIN) == 0
    assert set(two_gpus) == {"cuda:0"}, "the test images are looked at there too"
    two_gpus.clear()
    assert main([*TRAIN, "--device", "cuda:1"]) == 0
    assert set(two_gpus) == {"cuda:1"}
    two_gpus.clear()
    assert main(["evaluate", "--data", "synthetic", "--limit", "100"]) == 0
    assert set(two_gpus) == {"cuda:0"}
    two_gpus.clear()
    Image.fromarray(synthetic("test", 1).images[0, ..., 0]).save(tmp_path / "digit.png")
    assert main(["predict", str(tmp_path / "digit.png")]) == 0
    assert two_gpus == []
    assert main(["predict", str(tmp_path / "digit.png"), "--device", "auto"]) == 0
    assert set(two_gpus) == {"cuda:0"}


def test_a_run_goes_on_on_another_device(two_gpus, capsys):
    assert main([*TRAIN, "--run", "one", "--device", "cuda"]) == 0
    two_gpus.clear()
    assert main(["train", "--resume", "one", "--epochs", "2", "--device", "cpu"]) == 0
    assert two_gpus == [] and RunStore().get("one").status == "finished"


def test_a_lost_gpu_is_one_line_that_says_how_to_go_on(two_gpus, monkeypatch, capsys):
    def lose(*_: object) -> None:
        raise DeviceError("The GPU was lost.")

    with monkeypatch.context() as patch:
        patch.setattr(Plan, "steps", lose)
        assert main([*TRAIN, "--run", "my run"]) == 2
    assert capsys.readouterr().err == (
        "digitlab: The GPU was lost. The run my run is kept up to step 0. "
        '`digitlab train --resume "my run" --device cpu` goes on with it.\n'
    )
    assert main(["train", "--resume", "my run", "--device", "cpu"]) == 0


def test_auto_says_on_a_terminal_why_it_takes_the_cpu(no_gpu, terminal, capsys):
    assert main(TRAIN) == 0
    assert terminal.getvalue() == (
        "Training on the CPU: There is no NVIDIA driver on this computer; install the one for its GPU, or choose the device cpu.\n"
    )
    terminal.truncate(0)
    assert main([*TRAIN, "--device", "cpu"]) == 0
    assert terminal.getvalue() == "", "the CPU was asked for"


def test_who_has_prepared_nothing_for_a_gpu_hears_nothing_of_one(terminal, monkeypatch, capsys):
    uninstall(monkeypatch)
    monkeypatch.setattr("nncore.backend.cuda.gpus.DRIVER", ("/nowhere/nvidia", "no-such-program"))
    assert main(TRAIN) == 0
    assert terminal.getvalue() == ""
    monkeypatch.setattr("nncore.backend.cuda.gpus.DRIVER", ("/", "no-such-program"))
    assert main(TRAIN) == 0
    assert terminal.getvalue().startswith("Training on the CPU: CuPy, which"), "there is a driver, so a GPU is missed"


def test_the_gpu_that_a_training_runs_on_is_named_on_a_terminal(two_gpus, terminal, capsys):
    assert main([*TRAIN, "--device", "cuda:1"]) == 0
    assert terminal.getvalue() == "Training on cuda:1, NVIDIA L4.\n"


def test_nothing_is_said_where_standard_error_is_no_terminal(no_gpu, capsys):
    assert main(TRAIN) == 0
    assert capsys.readouterr().err == ""


def test_info_lists_the_devices_or_says_why_there_is_no_gpu(two_gpus, monkeypatch, capsys):
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["devices"][0].startswith("CPU · ") and found["no_gpu"] == ""
    assert found["devices"][1:] == ["NVIDIA H100 · 79.1 of 80 GB free", "NVIDIA L4 · 20.0 of 24 GB free"]
    install(monkeypatch, fake_cupy(error=NO_DRIVER, driver=11040))
    assert main(["info"]) == 0
    assert "\nno gpu: The NVIDIA driver is too old: it knows CUDA 11.4" in capsys.readouterr().out


# -- the choice, as the window keeps it


def test_a_choice_is_kept_once_it_has_worked(tmp_path, two_gpus):
    settings = Settings(tmp_path)
    device = ChosenDevice(settings)
    device.choose("cuda:1")
    assert device.resolve("cuda:1") == "cuda:1" and settings["device"] == "auto"
    device.remember("cuda:1", "cpu")
    assert settings["device"] == "auto", "another device took the step"
    device.remember("cuda:1", "cuda:1")
    assert ChosenDevice(Settings(tmp_path)).choice.value == "cuda:1"
    device.remember("auto", "cuda:0")
    assert ChosenDevice(Settings(tmp_path)).choice.value == "auto"


@pytest.mark.parametrize("kept", ["cuda:1", "abacus", "reference", ""])
def test_a_device_of_the_last_time_that_is_gone_is_told_and_auto_taken(tmp_path, no_gpu, kept):
    settings = Settings(tmp_path)
    settings["device"] = kept
    device = ChosenDevice(settings)
    if kept != "reference":
        assert device.resolve(kept) == "cpu", "a training that starts before the devices have been found"
    assert device.take(devices.find_devices()) == (
        f"Trainings run on the CPU: {kept}, the device of the last time, cannot be used now."
    )
    assert device.choice.value == "auto" and device.take(devices.find_devices()) == ""
    if kept != "reference":
        assert device.resolve(kept) == "cpu", "a training that was started before that was known"


def test_a_device_of_the_last_time_that_is_there_is_from_then_on_as_if_just_chosen(tmp_path, two_gpus, monkeypatch):
    settings = Settings(tmp_path)
    settings["device"] = "cuda:1"
    device = ChosenDevice(settings)
    assert device.take(devices.find_devices()) == "" and device.choice.value == "cuda:1"
    install(monkeypatch, fake_cupy(TWO[:1]))
    assert device.take(devices.find_devices()) == "" and device.choice.value == "cuda:1"
    with pytest.raises(DeviceError, match="no GPU number 1"):
        device.resolve("cuda:1")


def test_a_device_that_was_just_chosen_is_never_replaced_in_silence(tmp_path, no_gpu):
    device = ChosenDevice(Settings(tmp_path))
    device.choose("cuda:1")
    assert device.take(devices.find_devices()) == ""
    with pytest.raises(DeviceError, match="no NVIDIA driver"):
        device.resolve("cuda:1")


# -- the window


def start(lab) -> None:
    lab.training.start(Job(preset("two-layer"), "synthetic", synthetic("train", 200), None, TrainConfig(epochs=2)))


def trained(qtbot, lab) -> None:
    start(lab)
    qtbot.waitUntil(lambda: not lab.training.is_active, timeout=60_000)


def test_a_training_runs_on_the_chosen_device_which_is_then_remembered(lab, qtbot, two_gpus):
    lab.choose_device("cuda:1")
    before = []
    lab.training.status_changed.connect(lambda status: before.append((status, lab.settings["device"])))
    trained(qtbot, lab)
    assert set(two_gpus) == {"cuda:1"} and lab.training.session.trainer.device == "cuda:1"
    assert before[:2] == [(Status.STARTING, "auto"), (Status.TRAINING, "auto")], "not before the first step"
    assert lab.settings["device"] == "cuda:1"


def test_a_device_that_failed_is_told_and_not_remembered(lab, qtbot, no_gpu):
    problems = []
    lab.problem.connect(problems.append)
    lab.choose_device("cuda:0")
    trained(qtbot, lab)
    assert [problem.message for problem in problems] == [
        "There is no NVIDIA driver on this computer; install the one for its GPU, or choose the device cpu."
    ]
    assert lab.settings["device"] == "auto" and lab.store.list() == []
    lab.choose_device("cpu")
    trained(qtbot, lab)
    assert lab.settings["device"] == "cpu" and len(problems) == 1


def test_another_device_while_a_training_runs_is_for_the_next_one(lab, qtbot, two_gpus):
    said = []
    lab.said.connect(said.append)
    lab.look_for_devices()
    qtbot.waitUntil(lambda: lab.device.found.value is not None)
    lab.choose_device("cpu")
    assert said == []
    start(lab)
    lab.choose_device("cuda:1")
    assert said == ["Next training: NVIDIA L4. The one that runs stays where it is."]
    qtbot.waitUntil(lambda: not lab.training.is_active, timeout=60_000)
    assert two_gpus == [] and lab.settings["device"] == "cpu", "which is what worked"
    lab.training.go_on()
    qtbot.waitUntil(lambda: not lab.training.is_active, timeout=60_000)
    assert set(two_gpus) == {"cuda:1"} and lab.settings["device"] == "cuda:1"


def test_a_lost_gpu_is_one_sentence_and_the_training_goes_on_on_the_cpu(lab, qtbot, two_gpus, monkeypatch):
    take, problems = Plan.steps, []

    def lose(self, *arguments):
        if self._backend.name == "cuda:0" and self.optimizer.steps >= 3:
            raise DeviceError("The GPU was lost.")
        return take(self, *arguments)

    monkeypatch.setattr("nncore.training.meters.STRETCH_SECONDS", 0)
    monkeypatch.setattr(Plan, "steps", lose)
    lab.problem.connect(problems.append)
    trained(qtbot, lab)
    (problem,) = problems
    assert problem.details == "" and problem.message == (
        "The GPU was lost. The run two-layer-1 is kept up to step 3. "
        "Choose the CPU as the device, and train one epoch more to go on."
    )
    assert lab.training.trained.history.train.columns()[0].tolist() == [1, 2, 3] and lab.state.moment.value.step == 3
    lab.choose_device("cpu")
    lab.training.go_on()
    qtbot.waitUntil(lambda: not lab.training.is_active, timeout=60_000)
    run = lab.store.get("two-layer-1")
    assert run.status == "finished" and len(problems) == 1
    assert [step for step, *_ in lab.store.metrics(run, "train")] == list(range(1, run.steps + 1))


def menu_of(window) -> list[tuple[str, bool, bool]]:
    """Words, whether ticked and whether enabled, of each line of the device's menu."""
    menu = window.top_bar._device.menu()
    menu.aboutToShow.emit()
    return [(action.text(), action.isChecked(), action.isEnabled()) for action in menu.actions() if not action.isSeparator()]


@pytest.mark.parametrize("is_ready", [False, True])
def test_the_time_bar_says_that_the_engine_is_compiled_for_the_device(make_window, qtbot, two_gpus, monkeypatch, is_ready):
    window, asked, shown = make_window(), [], []

    def ready(device: str = "cpu") -> bool:
        asked.append(device)
        return is_ready

    monkeypatch.setattr("app.core.engine.is_ready", ready)
    show = window.time_bar._figures.show_words
    monkeypatch.setattr(window.time_bar._figures, "show_words", lambda words: (shown.append(words), show(words)))
    window.lab.choose_device("cuda:1")
    trained(qtbot, window.lab)
    assert "cuda:1" in asked and any(words.startswith("compiling the engine") for words in shown) is not is_ready


def test_the_chip_lists_devices_ticks_the_chosen_one_and_lets_one_choose(make_window, qtbot, two_gpus):
    window = make_window()
    qtbot.waitUntil(lambda: window.lab.device.found.value is not None)
    bar = window.top_bar
    cpu = devices.cpu_choice().title
    assert menu_of(window) == [
        ("Automatic (NVIDIA H100)", True, True),
        (cpu, False, True),
        ("NVIDIA H100 · 79.1 of 80 GB free", False, True),
        ("NVIDIA L4 · 20.0 of 24 GB free", False, True),
        ("About this installation", False, True),
    ]
    assert bar._device._words == "H100 ▾"
    bar._device.menu().actions()[3].trigger()
    assert window.lab.device.choice.value == "cuda:1" and bar._device._words == "L4 ▾"
    assert [ticked for _, ticked, _ in menu_of(window)] == [False, False, False, True, False]
    window.lab.device.take(replace(window.lab.device.found.value, devices=window.lab.device.found.value.devices[:2]))
    assert bar._device._words == "cuda:1 ▾", "it cannot be used any more, and is still what was chosen"


def test_without_a_gpu_the_menu_says_why_not(make_window, qtbot, no_gpu):
    window = make_window()
    qtbot.waitUntil(lambda: window.lab.device.found.value is not None)
    automatic, cpu, reason, about = menu_of(window)
    assert automatic == ("Automatic (CPU)", True, True) and cpu == (devices.cpu_choice().title, False, True)
    assert reason == ("No GPU can be used: why?", False, True)
    (line,) = (action for action in window.top_bar._device.menu().actions() if action.text() == reason[0])
    assert "or choose the device cpu." in line.toolTip() and window.top_bar._device.menu().toolTipsVisible()
    with qtbot.waitSignal(window.lab.problem) as told:
        line.trigger()
    assert told.args[0].message.startswith("There is no NVIDIA driver")
    assert window.top_bar._device._words == "CPU ▾" and about[0] == "About this installation"


def test_a_gpu_of_the_last_time_that_is_gone_is_told_in_the_bar(make_window, qtbot, no_gpu):
    Settings()["device"] = "cuda:1"
    window = make_window()
    bar = window.top_bar
    assert bar._device._words.startswith("CPU"), "at once"
    qtbot.waitUntil(lambda: "cuda:1" in bar._said.words)
    assert bar._said.words == "Trainings run on the CPU: cuda:1, the device of the last time, cannot be used now."
    assert bar._device._words.startswith("CPU") and window.lab.device.choice.value == "auto"
