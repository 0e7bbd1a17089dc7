"""A training on disk goes on as if it had never been interrupted."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.data import synthetic
from nncore.data.augment import augmentation
from nncore.errors import WeightsError
from nncore.layers import Flatten, Linear, ReLU
from nncore.network import Network
from nncore.training.checkpoint import load_checkpoint, save_checkpoint
from nncore.training.config import TrainConfig
from nncore.training.events import EpochEnd, Progress
from nncore.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("single_steps")


@pytest.fixture(scope="module")
def data():
    return synthetic("train", 240)


def trainer_of(data, optimizer: str, augment: str = "none") -> Trainer:
    config = TrainConfig(
        epochs=3,
        batch_size=32,
        optimizer=optimizer,
        learning_rate=3e-3,
        schedule="steps",
        milestones=(4, 12),
        augmentation=augmentation(augment),
        seed=2,
    )
    return Trainer(Network([Flatten(), Linear(16), ReLU(), Linear(10)], (28, 28, 1), 2), data, config)


@pytest.mark.parametrize(("optimizer", "augment"), [("sgd", "none"), ("momentum", "none"), ("adam", "none"), ("adam", "strong")])
@pytest.mark.parametrize("at", [3, 7, 10])
def test_a_resumed_training_ends_bit_identical(tmp_path, data, optimizer, augment, at):
    straight = trainer_of(data, optimizer, augment)
    epochs = [event for event in straight.events() if isinstance(event, EpochEnd)]

    broken = trainer_of(data, optimizer, augment)
    for event in broken.events():
        if event.step == at and isinstance(event, EpochEnd if at == 7 else Progress):
            save_checkpoint(tmp_path / "c.safetensors", broken)
            break
    resumed = load_checkpoint(tmp_path / "c.safetensors", data)
    assert resumed.step == at
    later = [event for event in resumed.events() if isinstance(event, EpochEnd)]

    a, b = straight.network.state_dict(), resumed.network.state_dict()
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert straight.best.step == resumed.best.step
    assert all(np.array_equal(straight.best.state[name], resumed.best.state[name]) for name in a)
    assert later[-1].train_loss == epochs[-1].train_loss
    assert later[0].train_loss == epochs[-len(later)].train_loss, "the epoch under way keeps its sums"


def test_a_checkpoint_of_other_data_is_refused(tmp_path, data):
    save_checkpoint(tmp_path / "c.safetensors", trainer_of(data, "adam"))
    with pytest.raises(WeightsError, match="200 images, not 100"):
        load_checkpoint(tmp_path / "c.safetensors", data.subset(slice(0, 120)))


def test_weights_are_no_checkpoint_and_damage_is_named(tmp_path, data):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, trainer_of(data, "adam"))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"nonsense" * 40):
        path.write_bytes(content)
        with pytest.raises(WeightsError):
            load_checkpoint(path, data)
