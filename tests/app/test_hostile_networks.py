"""Files of networks and drafts that were damaged at random: each is one line or a sound list of layers, soon, and in little memory.

`DIGITLAB_MUTATIONS` says how many of each are tried (200), `DIGITLAB_SEED` which (0).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.core import own_networks
from app.core.draft import Draft, read_draft
from app.core.layer_list import LayerList
from nncore.errors import ConfigError, DigitLabError
from nncore.paths import networks_folder
from tests.app.mutations import SECONDS, damage_bytes, damage_json, limit_memory, outcome_of

COUNT = int(os.environ.get("DIGITLAB_MUTATIONS", "200"))
SEED = int(os.environ.get("DIGITLAB_SEED", "0"))
LAYERS = LayerList.from_config(
    {
        "input_shape": [28, 28, 1],
        "layers": [
            {"type": "Conv2d", "out_channels": 3, "kernel_size": 3, "initializer": 0.1, "weight_decay": 0.01},
            {"type": "BatchNorm"},
            {"type": "MaxPool2d", "kernel_size": 2},
            {"type": "Dropout", "p": 0.2},
            {"type": "Flatten"},
            {"type": "Linear", "out_features": 10},
        ],
    }
)
NETWORK = json.dumps({"format": own_networks.FORMAT, **LAYERS.as_config()}).encode()
DRAFT = Draft("mine", "mnist-cnn", LAYERS, LAYERS.remove(5), LAYERS).as_json()
DEEP = b"[" * 200_000
WHOLE: list[Callable[[bytes], bytes]] = [
    lambda content: content + b" " * 10_000_000,
    lambda content: content.replace(b"[28, 28, 1]", DEEP),
    lambda content: content.replace(b'"stride": ', b'"stride": 7, "stride": ', 1),
    lambda content: content.replace(b"0.01", b"NaN"),
    lambda content: content.replace(b"0.01", b"1e999"),
    lambda content: content.replace(b"0.01", b"1" * 5000),
    lambda content: content.replace(b'"BatchNorm"', b'"\\ud800"'),
    lambda content: content.replace(b'{"type": "BatchNorm"', b'{"type": "ReLU"}, ' * 5000 + b'{"type": "BatchNorm"'),
    lambda content: content.decode().encode("utf-16"),
    lambda content: b"\xef\xbb\xbf" + content,
]
"""What can be done to a whole file."""


def damaged(content: bytes, rng: random.Random) -> bytes:
    chance = rng.random()
    if chance < 0.3:
        return damage_bytes(content, rng)
    if chance < 0.5:
        return rng.choice(WHOLE)(content)
    return json.dumps(damage_json(json.loads(content), rng)).encode()


def attempt(kind: str, path: Path, rng: random.Random) -> None:
    """Read a damaged file, and look at what it describes as the window does."""
    if kind == "network":
        path.write_bytes(damaged(NETWORK, rng))
        layers = own_networks.read_file(path)
        assert not any(line.problem for line in layers.lines())
        own_networks.keep("again", layers)
        assert own_networks.read("again") == layers
        return
    path.write_bytes(damaged(DRAFT, rng))
    draft = read_draft(path)
    assert draft is not None
    for layers in filter(None, (draft.first, draft.kept, draft.layers)):
        layers.problem()
    path.write_bytes(draft.as_json())
    assert read_draft(path) == draft


def main(kind: str, folder: str) -> None:
    """Try COUNT files; prints each that is neither one line nor sound, and exits with 1."""
    limit_memory()
    failures, outcomes = [], {"answers": 0, "lines": 0}
    for number in range(COUNT):
        begun, rng = time.process_time(), random.Random(f"{SEED} {kind} {number}")
        outcome = outcome_of(partial(attempt, kind, Path(folder) / "file.json", rng))
        if outcome in outcomes:
            outcomes[outcome] += 1
        else:
            failures.append(f"{number}: {outcome}")
        if time.process_time() - begun > SECONDS:
            failures.append(f"{number}: {time.process_time() - begun:.0f} s")
    print(*failures, f"{COUNT} tried: {outcomes}", sep="\n")
    sys.exit(bool(failures))


@pytest.mark.timeout(60 + COUNT)
@pytest.mark.parametrize("kind", ["network", "draft"])
def test_damaged_files_are_one_line_or_sound(isolated: Path, tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-m", "tests.app.test_hostile_networks", kind, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + COUNT, check=False)
    assert done.returncode == 0 and f"{COUNT} tried" in done.stdout, f"seed {SEED}: {done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_or_has_no_name_that_can_be_is_left_alone(tmp_path: Path) -> None:
    own_networks.keep("tiny", LAYERS)
    folder = networks_folder()
    outside = tmp_path / "outside.json"
    outside.write_bytes(NETWORK)
    for name, target in (("round", folder / "round.json"), ("zero", Path("/dev/zero")), ("up", tmp_path), ("linked", outside)):
        (folder / f"{name}.json").symlink_to(target)
    os.mkfifo(folder / "pipe.json")
    for name in ("-", " ", "a\nb", "mlp", "x" * 200, os.fsdecode(b"\xff")):
        (folder / f"{name}.json").write_bytes(NETWORK)
    found, damage = own_networks.read_all()
    assert list(found) == ["linked", "tiny"], "a link to a sound file is one"
    assert len(damage) == 6 and not any("\n" in sentence for sentence in damage)
    for name in ("../outside", str(outside.with_suffix("")), "round", "zero", "pipe", "a/b", "\0", "~nobody/x", "x" * 5000):
        with pytest.raises(DigitLabError):
            own_networks.find(name)
    with pytest.raises(ConfigError):
        own_networks.keep("../outside", LAYERS.remove(5))
    assert outside.read_bytes() == NETWORK


if __name__ == "__main__":
    main(*sys.argv[1:])
