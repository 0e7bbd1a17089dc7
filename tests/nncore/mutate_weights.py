"""Damaged and hostile weights files, made of good ones, and a run over many of them: `python mutate_weights.py FOLDER SEED COUNT`.

It tells, as JSON, what came of them; of anything that may not be it tells the number of the file, and stops.
"""

from __future__ import annotations

import faulthandler
import json
import random
import struct
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nncore.errors import WeightsError
from nncore.layers import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Softmax
from nncore.network import Network
from nncore.weights import DIGEST, FORMAT, HEADER_DIGEST, load_weights, save_weights

PATIENCE = 60
"""Seconds after which a file counts as a hang; the machine may be busy, so what a file really takes is measured besides."""
MOST_MEMORY = 3 * 2**30
"""Bytes of addresses that the process may have. Libraries reserve much that they never touch: what it takes is measured besides."""
LARGEST_DESCRIPTION = 10 * 2**20
"""Bytes up to which lists are made longer: somewhat more than a header may have."""
LONGEST_MESSAGE = 600

NUMBERS = [
    *(0, 1, -1, 2, 3, 7, 255, 1000, 20_000, 65_536, 10**6, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 10**30),
    *(0.5, -0.5, 1.5, 1e-320, 1e30, 1e300, float("nan"), float("inf"), -float("inf")),
]
VALUES: list[Any] = [
    *(*NUMBERS, None, True, "", "x", "he_normal", "\x00\n", "é" * 999),
    *([], {}, [1], [1, 2], [[]], [20_000] * 2, {"type": "ReLU"}),
]
TEXTS = [
    *('"' * 9, "[" * 100_000, '{"a":' * 50_000, '{"a":1,"a":2}', "[1]"),
    *("1e999", "NaN", "-Infinity", "9" * 5000, "null", "\ud800", ""),
]
GEOMETRY = [1, 1, 2, 3, 5, 28, 100, 255, 256, 300, 999, 20_000, 10**6, 2**31]


def good(folder: Path) -> bytes:
    """A weights file with a layer of most kinds, without its checksums, which whoever forges a file leaves out."""
    layers = [Conv2d(3, 3, padding=1), BatchNorm(), ReLU(), MaxPool2d(2), Flatten(), Dropout(0.2), Linear(10), Softmax()]
    save_weights(folder / "good", Network(layers, (8, 8, 1), seed=4), {"data": "mnist", "val_accuracy": 0.5})
    header, numbers = parted((folder / "good").read_bytes())
    del header["__metadata__"][DIGEST], header["__metadata__"][HEADER_DIGEST]
    content = joined(header, numbers)
    (folder / "good").write_bytes(content)
    return content


def parted(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a whole file; the entries of the metadata as what their JSON says."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = {name: json.loads(value) for name, value in header["__metadata__"].items()}
    return header, content[8 + length :]


def joined(header: dict[str, Any], numbers: bytes, rng: random.Random | None = None) -> bytes:
    """A file of the header and the numbers. With `rng`, now and then one of its metadata or the whole header is no JSON."""
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict):
        header = header | {"__metadata__": {name: json.dumps(value) for name, value in metadata.items()}}
        if rng is not None and rng.random() < 0.1:
            header["__metadata__"][rng.choice(["architecture", "info", "format", "config", "x"])] = rng.choice(TEXTS)
    text = json.dumps(header) if rng is None or rng.random() < 0.97 else rng.choice(TEXTS)
    encoded = text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(encoded)) + encoded + numbers


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of the tree with every key or index of it."""
    pairs = list(tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else [])
    return [(tree, key) for key, _ in pairs] + [place for _, value in pairs for place in places(value)]


def bytes_changed(content: bytes, rng: random.Random) -> bytes:
    """Some bytes are others, or the file is cut, or longer, or lies about its header's length."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    if rng.random() < 0.2:
        changed[:8] = struct.pack("<Q", rng.choice([0, 1, 8, 2**20, 2**31, 2**40, 2**63, 2**64 - 1]))
    return bytes(changed[: rng.choice([len(changed), len(changed), rng.randrange(len(changed))])]) + bytes(rng.choice([0, 0, 8]))


def description_changed(content: bytes, rng: random.Random) -> bytes:
    """Some settings of the network, or of the file's own description, are others, missing, or there many times."""
    header, numbers = parted(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        tree = header["__metadata__"]["architecture"] if rng.random() < 0.7 else header
        found = places(tree)
        if not found:
            break
        container, key = rng.choice(found)
        what = rng.random()
        if what < 0.75:
            container[key] = rng.choice(VALUES)
        elif what < 0.85:
            del container[key]
        elif isinstance(container, list):
            times = rng.choice([2, 3, 400, 20_000])
            if times * len(json.dumps(container)) < LARGEST_DESCRIPTION:
                container[:] = container * times
                break  # its parts are the same objects: to make one of them longer now would make a giant
        if not isinstance(header.get("__metadata__"), dict) or "architecture" not in header["__metadata__"]:
            break
    return joined(header, numbers, rng)


def numbers_changed(content: bytes, rng: random.Random) -> bytes:
    """Some of the numbers are infinite, none at all, huge or negative."""
    header, numbers = parted(content)
    values = np.frombuffer(numbers, np.float32).copy()
    for _ in range(rng.choice([1, 3, 1000])):
        values[rng.randrange(len(values))] = rng.choice([np.nan, np.inf, -np.inf, 3e38, -3e38, -1, 1e-45, 0])
    return joined(header, values.tobytes(), rng)


def side(rng: random.Random, *reaches: int) -> int:
    """One of the first sizes of GEOMETRY, as many as one of the reaches says: mostly sizes that may be, sometimes any."""
    return rng.choice(GEOMETRY[: rng.choice(reaches)])


def geometry(content: bytes, rng: random.Random) -> bytes:
    """A small file, right in itself, of layers with one channel whose windows, paddings and sizes are anything."""
    layers, tensors, numbers, convolutions = [], {}, b"", 0
    for _ in range(rng.randint(1, 8)):
        kernel = [side(rng, 5, 5, 10), side(rng, 5, 5, 10)]
        stride = rng.choice([1, 1, 2, [1, 3]])
        kind = rng.choice(["Conv2d", "Conv2d", "MaxPool2d", "AvgPool2d", "ReLU", "BatchNorm"])
        if kind == "Conv2d":
            convolutions += 1
            padding = [side(rng, 4, 4, 14), side(rng, 4, 4, 14)]
            layers.append({"type": kind, "out_channels": 1, "kernel_size": kernel, "stride": stride, "padding": padding})
            for name, shape in (("weight", [*kernel, 1, 1]), ("bias", [1])):
                start, size = len(numbers), 4 * int(np.prod(shape))
                tensors[f"conv{convolutions}.{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": [start, start + size]}
                numbers += bytes(size)
        else:
            layers.append({"type": kind} | ({"kernel_size": kernel, "stride": stride} if "Pool" in kind else {}))
    architecture = {"input_shape": [side(rng, 9, 9, 14), side(rng, 9, 9, 14), 1], "layers": layers}
    return joined({"__metadata__": {"format": FORMAT, "architecture": architecture, "info": {}}, **tensors}, numbers, rng)


KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": bytes_changed,
    "description": description_changed,
    "numbers": numbers_changed,
    "geometry": geometry,
}


def outcome(path: Path) -> str:
    """`network` where the file gives a network that answers, `error` where it is refused in one short printable line."""
    try:
        network, info = load_weights(path)
    except WeightsError as error:
        message = str(error)
        assert message.isprintable() and len(message) < LONGEST_MESSAGE, message[:2000]
        return "error"
    assert isinstance(info, dict)
    with np.errstate(all="ignore"):
        output = network.eval().forward(np.zeros((1, *network.input_shape), np.float32))
    assert output.shape == (1, *network.output_shape)
    return "network"


def run(folder: Path, seed: int, count: int) -> dict[str, Any]:
    """What came of each kind, and the most processor time that one file took."""
    warnings.simplefilter("error")
    limit_memory()
    content, path, longest = good(folder), folder / "w.safetensors", 0.0
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    assert outcome(folder / "good") == "network"
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path.write_bytes(KINDS[kind](content, random.Random(f"{seed} {number}")))
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        began = time.process_time()
        try:
            found[kind][outcome(path)] += 1
        except BaseException as error:
            error.add_note(f"file {number} of seed {seed}: {kind}, kept as {path}")
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        longest = max(longest, time.process_time() - began)
    return {"found": found, "seconds": longest}


def limit_memory() -> None:
    """Let what asks for far too much fail instead of taking the machine's memory (where the system has such limits)."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def peak_memory() -> int:
    """Bytes of memory that this process has taken at most."""
    import resource

    # Linux counts what was there before this process became Python among its own, but not here.
    status = Path("/proc/self/status")
    if status.exists():
        return next(1024 * int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])) | {"memory": peak_memory()}))
