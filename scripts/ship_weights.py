"""Trains the weights that ship with the product, by the command that the card then names, and writes weights and card.

DIGITLAB_DATA=… python scripts/ship_weights.py mnist-cnn mnist --epochs 12 --seed 0
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from models.shipped import WEIGHTS
from nncore.paths import data_folder
from nncore.weights import load_weights, save_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset")
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments, further = parser.parse_known_args()
    name = arguments.preset
    options = ["--model", name, "--data", arguments.data, "--epochs", str(arguments.epochs), "--seed", str(arguments.seed)]
    options += further
    with tempfile.TemporaryDirectory() as scratch:
        # A data folder of its own, so that the run does not stay behind in the user's table.
        (Path(scratch) / arguments.data).symlink_to(data_folder() / arguments.data)
        weights = Path(scratch) / "weights.safetensors"
        command = [sys.executable, "-m", "app", "train", *options, "--json", "--out", str(weights)]
        subprocess.run(command, check=True, env=os.environ | {"DIGITLAB_DATA": scratch})
        network, info = load_weights(weights)
    card = {
        "preset": name,
        "data": arguments.data,
        "seed": arguments.seed,
        "epochs": arguments.epochs,
        "step": info["step"],
        "val_accuracy": info["val_accuracy"],
        "test_accuracy": info["test_accuracy"],
        "input_shape": list(network.input_shape),
        "parameters": network.parameter_count,
        "date": date.today().isoformat(),
        "command": f"digitlab train {' '.join(options)} --out {name}.safetensors",
    }
    save_weights(WEIGHTS / f"{name}.safetensors", network, {"network": name} | card)
    (WEIGHTS / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")
    print(f"{name}: {card['test_accuracy']:.2%} on the test images")


if __name__ == "__main__":
    main()
