"""A training's saved state: what an older program wrote still loads, and what is damaged is refused in one sentence."""

from __future__ import annotations

import copy
import json
import math
import os
import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncore.data.dataset import Dataset
from nncore.errors import ConfigError, DigitLabError, WeightsError
from nncore.layers import BatchNorm, Dropout, Flatten, Linear, ReLU
from nncore.network import Network
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Progress
from nncore.training.schedules import SCHEDULES
from nncore.training.trainer import Trainer
from nncore.weights import load_weights

FILES = Path(__file__).parent / "files"
MUTATIONS = int(os.environ.get("DIGITLAB_MUTATIONS", "300"))
"""Damaged checkpoints a run of the tests."""


@pytest.fixture(scope="module")
def data() -> Dataset:
    return stripes()


def stripes() -> Dataset:
    """The images that `files/checkpoint-1.safetensors` was trained on."""
    rng = np.random.default_rng(5)
    labels = np.arange(60, dtype=np.int64) % 3
    images = np.clip(rng.integers(0, 90, (60, 6, 6, 1)) + 80 * labels[:, None, None, None], 0, 255).astype(np.uint8)
    return Dataset(images, labels, "stripes", class_names=("a", "b", "c"))


def trainer_of(data: Dataset, **changes: Any) -> Trainer:
    config = TrainConfig(epochs=3, batch_size=16, learning_rate=0.02, schedule="cosine", validate_every=3, seed=7)
    network = Network([Flatten(), Linear(8), BatchNorm(), ReLU(), Dropout(0.25), Linear(3)], (6, 6, 1), 4)
    return Trainer(network, data, replace(config, **changes))


def trained(trainer: Trainer, until: int) -> Trainer:
    trainer.checkpoint_every = 1
    for event in trainer.events():
        if isinstance(event, Progress) and event.step == until:
            break
    return trainer


def test_a_checkpoint_written_before_stretches_goes_on_to_the_same_end(data):
    trainer = load_checkpoint(FILES / "checkpoint-1.safetensors", data)
    assert (trainer.step, trainer.total_steps, trainer.config.optimizer) == (6, 16, "momentum")
    assert trainer.optimizer.lr == 0.01 and trainer.best is not None and trainer.best.step == 4
    epochs = [event for event in trainer.events() if isinstance(event, EpochEnd)]
    assert [event.train_loss for event in epochs] == pytest.approx([1.0960705256462098, 1.003923084437847, 0.988164381980896], 1e-3)
    assert [event.train_accuracy for event in epochs] == pytest.approx([0.32, 0.32, 0.44])
    end, _ = load_weights(FILES / "checkpoint-1-end.safetensors")
    mine = trainer.network.state_dict()
    for name, value in end.state_dict().items():
        np.testing.assert_allclose(mine[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_state_carries_a_training_over_bit_for_bit(data, schedule):
    straight, broken, other = (trainer_of(data, schedule=schedule) for _ in range(3))
    straight.extend(2)
    broken.extend(2)
    trained(broken, 13)
    arrays, rest = broken.state_dict()
    other.load_state_dict(arrays, json.loads(json.dumps(rest)))
    ends = [[event for event in trainer.events() if isinstance(event, EpochEnd)][-1] for trainer in (straight, other)]
    assert ends[0].train_loss == ends[1].train_loss and ends[0].step == ends[1].step == 20
    a, b = straight.network.state_dict(), other.network.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_dropout_goes_on_where_it_was_whatever_the_networks_seed(tmp_path, data):
    straight, broken = trainer_of(data), trained(trainer_of(data), 6)
    assert straight.network.seed != straight.config.seed
    save_checkpoint(tmp_path / "c.safetensors", broken)
    resumed = load_checkpoint(tmp_path / "c.safetensors", data)
    for trainer in (straight, resumed):
        assert len(list(trainer.events())) > 2
    a, b = straight.network.state_dict(), resumed.network.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_a_checkpoint_between_an_epochs_last_step_and_its_look_keeps_the_epoch(tmp_path, data):
    trainer = trained(trainer_of(data), 4)
    save_checkpoint(tmp_path / "c.safetensors", trainer)
    resumed = load_checkpoint(tmp_path / "c.safetensors", data)
    first = next(event for event in resumed.events() if isinstance(event, EpochEnd))
    assert first.epoch == 1 and first.step == 4


def test_a_training_broken_off_within_a_stretch_is_not_saved_over_the_last_checkpoint(tmp_path, data, monkeypatch):
    path, trainer = tmp_path / "c.safetensors", trained(trainer_of(data), 6)
    save_checkpoint(path, trainer)
    before, plan = path.read_bytes(), trainer.plan()
    steps = plan.steps

    def interrupted(*arguments):
        steps(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "steps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(trainer.events())
    with pytest.raises(DigitLabError, match="last checkpoint"):
        save_checkpoint(path, trainer)
    with pytest.raises(DigitLabError, match="last checkpoint"):
        list(trainer.events())
    assert path.read_bytes() == before and load_checkpoint(path, data).step == 6


HOSTILE = [
    None,
    True,
    "",
    "x",
    [],
    [1],
    {},
    -1,
    1.5,
    0,
    math.nan,
    math.inf,
    -math.inf,
    1e300,
    10**12,
    10**30,
    "9" * 50,
    [[[]]],
    {"a": 1},
]


def parts(path: Path) -> tuple[dict[str, str], bytes]:
    """The header and the rest of a safetensors file."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def write(path: Path, header: dict[str, Any], rest: bytes) -> None:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of everything inside `value`, itself included."""
    found = [path]
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


def damaged(metadata: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A copy in which one to three values are replaced by others or removed."""
    found = copy.deepcopy(metadata)
    for _ in range(rng.integers(1, 4)):
        path = (found_places := places(found))[rng.integers(len(found_places))]
        if not path:
            continue
        inner = found
        for key in path[:-1]:
            inner = inner[key]
        if rng.random() < 0.2:
            del inner[path[-1]]
        else:
            inner[path[-1]] = copy.deepcopy(HOSTILE[rng.integers(len(HOSTILE))])
    return found


def is_refused_or_runs(path: Path, data: Dataset) -> bool:
    """Whether the checkpoint is refused with one line; one that is taken must be able to take its next step."""
    try:
        trainer = load_checkpoint(path, data)
    except WeightsError as error:
        assert str(error) and "\n" not in str(error)
        return True
    trainer.checkpoint_every = trainer.step + 1
    with np.errstate(all="ignore"):
        for event in trainer.events():
            if event.step > trainer.step:
                break
            if isinstance(event, Progress):
                break
    return False


def test_damaged_settings_and_positions_are_refused_in_one_line(tmp_path, data):
    path, rng = tmp_path / "c.safetensors", np.random.default_rng(20261124)
    save_checkpoint(path, trained(trainer_of(data), 6))
    header, rest = parts(path)
    metadata = {name: json.loads(text) for name, text in header["__metadata__"].items()}
    refused = 0
    for _ in range(MUTATIONS):
        changed = {name: json.dumps(value) for name, value in damaged(metadata, rng).items()}
        write(path, header | {"__metadata__": changed}, rest)
        refused += is_refused_or_runs(path, data)
    assert refused > MUTATIONS * 0.8


def test_damaged_bytes_are_refused_in_one_line(tmp_path, data):
    path, rng = tmp_path / "c.safetensors", np.random.default_rng(20261125)
    save_checkpoint(path, trained(trainer_of(data), 6))
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(MUTATIONS // 3):
        content = whole.copy()
        content[rng.integers(len(content), size=rng.integers(1, 4))] = rng.integers(256)
        path.write_bytes(content.tobytes()[: None if rng.random() < 0.8 else rng.integers(len(content))])
        with np.errstate(all="ignore"):
            is_refused_or_runs(path, data)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("position.step", [6]), ("position.step", math.nan), ("position.step", -1), ("position.step", 13), ("position.step", True),
        ("position.step", 6.0), ("position.step", 5), ("position.total_steps", 10**13), ("position.total_steps", 5),
        ("position.base_lr", 0), ("position.base_lr", "0.02"), ("position.base_lr", 5e299),
        ("position.cycles", [[0, 12, 1e299]]), ("position.epoch", {}), ("position", None),
        ("position.epoch.count", 7), ("position.epoch.loss", math.inf), ("position.seconds", -1.0),
        ("position.random", {"dropout1": -1}), ("position.random", {"dropout1": 0.5}), ("position.train_count", "50"),
        ("position.cycles", []), ("position.cycles", [[0, 0, 1.0]]), ("position.cycles", [[5, 3, 1.0]]),
        ("position.cycles", [[0, 3, 1.0], [0, 3, 1.0]]), ("position.cycles", [[0, 12, -0.1]]), ("position.cycles", [[0, 12]]),
        ("best", {"step": 10**6, "val_accuracy": 0.5, "val_loss": 1.0}), ("best.val_accuracy", 7), ("best", None),
        ("config.betas", [0.9, 0.9, 0.9]), ("config.validation", 10**12), ("config.validation", math.nan), ("config", []),
        ("config.augmentation", 3), ("config.milestones", 5), ("architecture", None), ("architecture.layers", 7),
        ("network_seed", -1),
    ],
    ids=str,
)  # fmt: skip
def test_each_value_of_a_checkpoint_is_checked(tmp_path, data, where, value):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, trained(trainer_of(data), 6))
    header, rest = parts(path)
    metadata = {name: json.loads(text) for name, text in header["__metadata__"].items()}
    *outer, name = where.split(".")
    inner = metadata
    for key in outer:
        inner = inner[key]
    inner[name] = value
    write(path, header | {"__metadata__": {name: json.dumps(content) for name, content in metadata.items()}}, rest)
    with pytest.raises(WeightsError) as refusal:
        load_checkpoint(path, data)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("optimizer/steps", lambda value: value + 1),
        ("optimizer/steps", lambda value: np.array(np.nan)),
        ("optimizer/mean.linear1.weight", lambda value: value.astype(np.float64) * 1e300),
        ("optimizer/mean.linear1.weight", lambda value: value * np.nan),
        ("optimizer/square.linear1.bias", lambda value: value[:-1]),
        ("network/linear1.weight", lambda value: value.astype(np.complex64)),
        ("network/linear2.weight", lambda value: value.T.copy()),
        ("best/linear1.weight", lambda value: value * np.nan),
        ("best/linear1.weight", lambda value: value[1:]),
    ],
)
def test_each_array_of_a_state_is_checked(data, name, change):
    arrays, rest = trained(trainer_of(data), 6).state_dict()
    assert name in arrays
    with pytest.raises(WeightsError):
        trainer_of(data).load_state_dict(arrays | {name: change(arrays[name])}, rest)
    missing = {other: value for other, value in arrays.items() if other != name}
    with pytest.raises(WeightsError):
        trainer_of(data).load_state_dict(missing, rest)
    with pytest.raises(WeightsError):
        trainer_of(data).load_state_dict(arrays | {"stranger/weight": arrays[name]}, rest)


def test_the_state_of_another_network_or_optimizer_is_refused(data):
    arrays, rest = trained(trainer_of(data, optimizer="momentum"), 6).state_dict()
    with pytest.raises(WeightsError, match="optimizer"):
        trainer_of(data).load_state_dict(arrays, rest)
    wider = Trainer(Network([Flatten(), Linear(9), BatchNorm(), ReLU(), Dropout(0.25), Linear(3)], (6, 6, 1)), data, TrainConfig())
    with pytest.raises(WeightsError, match="weights"):
        wider.load_state_dict(arrays, rest)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(TrainConfig().as_dict())), ANYTHING)
@settings(max_examples=400, deadline=None)
def test_a_config_takes_or_refuses_anything(name, value):
    try:
        config = TrainConfig.from_dict({name: value})
    except ConfigError as error:
        assert str(error)
    else:
        assert TrainConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_state_is_taken_or_refused_whatever_it_holds(chance):
    trainer = trainer_of(stripes())
    arrays, rest = trainer.state_dict()
    rest = json.loads(json.dumps(rest))
    *outer, name = chance.draw(st.sampled_from([place for place in places(rest) if place]))
    inner = rest
    for key in outer:
        inner = inner[key]
    inner[name] = chance.draw(ANYTHING)
    with suppress(WeightsError):
        trainer.load_state_dict(arrays, rest)
