"""How long it takes to look inside a network: each method on one digit, and what goes through a whole dataset.

    python -m benchmarks explain [--weights W] [--data D] [--images 60000]

The best of five for what is asked while one draws, the only one for what runs in the background. Figures in brackets are the
processor's time, which a busy machine does not change much.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.options import count
from benchmarks.report import machine, write
from models.shipped import open_weights
from nncore.backend.threads import cores
from nncore.data import open_dataset
from nncore.explain.activation_maximisation import activation_maximisation
from nncore.explain.counterfactual import counterfactual
from nncore.explain.embedding import layer_vectors
from nncore.explain.grad_cam import grad_cam
from nncore.explain.gradients import gradient
from nncore.explain.integrated_gradients import integrated_gradients
from nncore.explain.layers import layer_outputs
from nncore.explain.occlusion import occlusion
from nncore.explain.pca import pca
from nncore.explain.smooth_grad import smooth_grad
from nncore.explain.target import Target
from nncore.explain.top_images import top_images
from nncore.layers import Conv2d, Linear
from nncore.prediction import Predictor

TIMES = 5
EMBEDDED = 10_000
"""Images whose principal components are found."""
WANTED_MS = {"feature maps": 30, "gradient": 50, "Grad-CAM": 50, "occlusion": 300, "PCA": 2000, "top images": 15_000}


def timed(call: Callable[[], Any], times: int) -> tuple[dict[str, float], Any]:
    """The shortest of several calls, in milliseconds, and what it took of all cores; and the last result."""
    best, spent, result = float("inf"), float("inf"), None
    for _ in range(times):
        began, processor = time.perf_counter(), time.process_time()
        result = call()
        best, spent = min(best, time.perf_counter() - began), min(spent, time.process_time() - processor)
    return {"ms": 1e3 * best, "processor ms": 1e3 * spent}, result


def last(steps: Iterable[Any]) -> Any:
    """The result of the last Progress."""
    *_, end = steps
    return end.result


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks explain", description="Time what looks inside a network.")
    parser.add_argument("--weights", default="mnist-cnn", metavar="W", help="the network (default mnist-cnn)")
    parser.add_argument("--data", default="mnist", metavar="D", help="the dataset (default mnist)")
    parser.add_argument("--images", type=count, default=60_000, help="images that are searched (default 60000)")
    parser.add_argument("--out", type=Path, help="where to write the JSON (default: benchmarks/results/<machine>-explain.json)")
    options = parser.parse_args(arguments)
    network, _ = open_weights(options.weights)
    predictor, data = Predictor(network), open_dataset(options.data, "train").limit(options.images)
    predictor.prepare()
    image = data.images[0]
    target = Target(int(predictor.predict(image[None])[0].argmax()))
    other = int(predictor.predict(image[None])[0].argsort()[-2])
    print(f"{machine()}, {cores()} cores; {options.weights}, {len(data):,} images of {data.name}")
    quick = {
        "feature maps": partial(layer_outputs, predictor, image),
        "gradient": partial(gradient, predictor, image, target),
        "SmoothGrad": partial(smooth_grad, predictor, image, target),
        "integrated gradients": partial(integrated_gradients, predictor, image, target),
        "occlusion": partial(occlusion, predictor, image, target),
        "counterfactual": lambda: last(counterfactual(predictor, image, other)),
        "image of a unit": lambda: last(activation_maximisation(predictor, network.layers[-1].name, target.label)),
    }
    if any(isinstance(layer, Conv2d) for layer in network.layers):
        quick["Grad-CAM"] = partial(grad_cam, predictor, image, target)
    figures = {name: _told(name, call, TIMES)[0] for name, call in quick.items()}
    for layer in network.layers:
        if isinstance(layer, (Conv2d, Linear)):
            name = f"top images of {layer.name}"
            figures[name] = _told(name, lambda name=layer.name: last(top_images(predictor, data, name)), 1)[0]
    few = data.limit(EMBEDDED)
    for layer in network.layers[:-1]:
        if isinstance(layer, (Conv2d, Linear)):
            name = f"vectors of {layer.name}"
            figures[name], vectors = _told(name, lambda name=layer.name: last(layer_vectors(predictor, few, name)), 1)
            name = f"PCA of {layer.name}, {vectors.shape[1]} values"
            figures[name] = _told(name, partial(pca, vectors), 1)[0]
    write("explain", {"weights": options.weights, "images": len(data), "figures": figures}, options.out)
    return 0


def _told(name: str, call: Callable[[], Any], times: int) -> tuple[dict[str, float], Any]:
    found, result = timed(call, times)
    wanted = next((limit for what, limit in WANTED_MS.items() if name.startswith(what)), None)
    verdict = "" if wanted is None or found["ms"] <= wanted else f"   more than {wanted} ms"
    print(f"{name:34} {found['ms']:9.1f} ms ({found['processor ms']:.1f} ms of cores){verdict}", flush=True)
    return found, result
