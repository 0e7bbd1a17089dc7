"""Activations, dropout, and layers without parameters that name their own kernel."""

from __future__ import annotations

from collections.abc import Callable

from nncore.backend.contract import PlainLayer, RandomSource, Tensor
from nncore.backend.cuda.base import Arguments, BaseRecorder, image, pixels, slice_of
from nncore.backend.cuda.device import At
from nncore.backend.cuda.memory import Pass
from nncore.backend.cuda.sources import kernels


class ElementwiseRecorder(BaseRecorder):
    """Records what visits each value by itself."""

    def activation(self, name: str, x: Tensor, y: Tensor) -> None:
        self._elementwise(name, y, lambda: image("x", x) | image("y", y))

    def activation_backward(self, name: str, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        self._elementwise(f"{name}_back", y, lambda: image("y", y) | image("g", grad) | image("gx", grad_x))

    def _elementwise(self, kernel: str, y: Tensor, images: Callable[[], Arguments]) -> None:
        """A thread a value; softmax has a thread a pixel, and is told the channels apart."""
        if kernel.startswith("softmax"):
            self.each(kernel, y.rows * y.cols, lambda part: images() | pixels(y) | {"count": part.count})
        else:
            width = y.cols * y.channels
            self.each(kernel, y.rows * width, lambda part: images() | {"rows": y.rows, "width": width, "count": part.count})

    def plain(self, layer: PlainLayer, x: Tensor, y: Tensor) -> None:
        """A thread for each value of y."""
        self._plain(layer.kernel, layer, x, y, lambda: image("x", x) | image("y", y), y)

    def plain_backward(self, layer: PlainLayer, x: Tensor, y: Tensor, grad: Tensor, grad_x: Tensor) -> None:
        """A thread for each value of grad_x, which it gathers."""
        known = lambda: image("x", x) | image("y", y) | image("g", grad) | image("gx", grad_x)  # noqa: E731
        self._plain(f"{layer.kernel}_back", layer, x, y, known, x)

    def _plain(self, kernel: str, layer: PlainLayer, x: Tensor, y: Tensor, images: Callable[[], Arguments], made: Tensor) -> None:
        """Record a kernel with those of the arguments that it has parameters for."""
        wanted = kernels()[kernel].parameters if kernel in kernels() else {}

        def arguments(part: Pass) -> Arguments:
            known = images() | pixels(y) | pixels(x, "x_") | layer.kernel_numbers() | {"count": part.count}
            return {name: value for name, value in known.items() if name in wanted}

        self.each(kernel, made.rows * made.cols * made.channels, arguments)

    def dropout(self, x: Tensor, p: float, y: Tensor, source: RandomSource) -> None:
        record = self.record
        if not any(known is source for known in record.sources):
            record.sources.append(source)
        key = next(number for number, known in enumerate(record.sources) if known is source)
        width = y.cols * y.channels
        self.each("dropout", y.rows * width, lambda part: {
            "keys": At(record.random), "key": key, "layers": len(record.sources), "clock": At(record.clock),
            "threshold": source.threshold, "scale": 1 / (1 - p), **image("x", x), **image("y", y), "rows": y.rows, "width": width,
            **slice_of(part),
        })  # fmt: skip

    def dropout_backward(self, p: float, grad: Tensor, grad_x: Tensor, source: RandomSource) -> None:
        self.dropout(grad, p, grad_x, source)
