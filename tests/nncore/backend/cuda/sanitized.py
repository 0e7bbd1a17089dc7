"""Operations and a step of training on kernels under AddressSanitizer; test_sanitizer.py runs this in a process of its own.

    sanitized.py [FILE FAULTLESS FAULTY]

The arguments replace a piece of a kernel's file, so that the fault is to be found.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import trials
from test_preset_plans import BATCH, examples, made
from trial import check
from trials import square

from nncore.backend.contract import Window
from nncore.backend.cuda import host
from nncore.backend.cuda.host import HostDevice
from nncore.losses import CrossEntropyLoss
from nncore.optimizers import Adam
from nncore.plan import Plan

TRIALS = {
    "pooled": trials.conv_pool((7, 9, 3), 5, square(3), (1, 1), True, count=3).with_(spare=2),
    "pooled, vectors": trials.conv_pool((5, 7, 4), 8, square(3), (1, 1), True, count=3),
    "conv": trials.conv((5, 6, 3), 33, square(3), (1, 1), True, count=3).with_(spare=2),
    "conv back": trials.conv_backward((5, 6, 3), 33, square(3), (1, 1), True, count=3).with_(spare=2),
    "linear": trials.linear(1601, 3, True, count=5),
    "linear back": trials.linear_backward(33, 17, True, count=5).with_(spare=60),
    "max pool": trials.max_pool((7, 8, 3), Window((3, 2), (2, 3))),
    "avg pool": trials.avg_pool((7, 8, 3), Window((3, 2), (2, 3))),
    "batch norm": trials.batch_norm((4, 3, 33), True).with_(spare=3),
    "batch norm in use": trials.batch_norm((4, 3, 5), True, False),
    "dropout": trials.dropout((4, 5, 3), 0.3).with_(spare=2),
    "softmax": trials.activation("softmax", (4, 5, 3), (1, 1)),
    "softmax back": trials.activation_backward("softmax", (4, 5, 3)),
    "relu": trials.activation("relu", (4, 5, 3), (1, 1)),
    "relu back": trials.activation_backward("relu", (4, 5, 3)),
    "probability": trials.loss("probability", 10),
    "hinge": trials.loss("hinge", 10, (0.7,)),
    "nothing": trials.conv_pool((7, 9, 3), 5, square(3), (1, 1), True, count=0).with_(spare=2),
}


def exact(device: HostDevice, count: int, dtype: Any) -> np.ndarray:
    """A buffer that ends where its values end."""
    return np.zeros(max(count, 1), dtype)


def main() -> None:
    os.environ.pop("LD_PRELOAD", None)  # the compiler, which runs as a child, shall not be watched
    host.FLAGS = ("-std=c++17", "-O1", "-g", "-fsanitize=address", "-shared", "-fPIC", "-w")
    HostDevice.zeros = exact  # type: ignore[method-assign]
    if sys.argv[1:]:
        file, faultless, faulty = sys.argv[1:]
        sound = host.text
        assert faultless in sound(file)
        host.text = lambda name: sound(name).replace(faultless, faulty) if name == file else sound(name)
    for name, trial in TRIALS.items():
        print(name, flush=True)
        check(trial, "cuda-host")
    network = made("odd sizes")
    plan = Plan(network, (BATCH, *network.input_shape), CrossEntropyLoss(), Adam(network.parameters()), device="cuda-host")
    images, labels = examples(network, BATCH)
    plan.steps(images, labels, [np.arange(BATCH), np.arange(5)], [1e-3, 1e-3])
    plan.forward(images[:3])
    print("nothing outside of any buffer")


if __name__ == "__main__":
    main()
