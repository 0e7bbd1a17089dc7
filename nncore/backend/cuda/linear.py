"""Linear layers, as products of matrices: see kernels/product.cu."""

from __future__ import annotations

from collections.abc import Callable

from nncore.backend.contract import Tensor, Weights
from nncore.backend.cuda.base import Arguments, BaseRecorder, matrix
from nncore.backend.cuda.device import At, Size
from nncore.backend.cuda.geometry import share, tile
from nncore.backend.cuda.memory import Pass


class LinearRecorder(BaseRecorder):
    """Records linear layers."""

    def linear(self, x: Tensor, weights: Weights, y: Tensor, relu: bool) -> None:
        E, O = x.channels, y.channels
        weight, bias = self.theta(weights.weight), self.theta(weights.bias)
        parts, slice = share(self.batch, O, E)
        a, b = lambda: matrix("a", x.place.at, (x.pitch, 1)), lambda: matrix("b", weight(), (O, 1))
        if parts == 1:
            of_y = lambda _: {"c": y.place.at, "c_row": y.pitch, "c_pitch": 0, "bias": bias(), "relu": relu}  # noqa: E731
            self._product(a, b, of_y, lambda part: (part.count, O, E), parts, slice)
            return
        shares = self.room(parts * O)
        pitch = self.batch * O
        of_share = lambda _: {"c": shares.at, "c_row": O, "c_pitch": pitch, "bias": None, "relu": 0}  # noqa: E731
        self._product(a, b, of_share, lambda part: (part.count, O, E), parts, slice)
        self.each("finish", O, lambda part: {
            "copies": shares.at, "parts": parts, "pitch": pitch, "bias": bias(), "y": y.place.at, "O": O, "relu": relu,
            "size": part.count * O,
        })  # fmt: skip

    def linear_backward(self, x: Tensor, weights: Weights, y: Tensor, relu: bool, grad: Tensor, grad_x: Tensor | None) -> None:
        E, O, weight = x.channels, y.channels, self.theta(weights.weight)

        def of_y() -> At | None:
            return y.place.at if relu else None

        if grad_x is not None:
            self._product(
                lambda: matrix("a", grad.place.at, (O, 1), of_y()), lambda: matrix("b", weight(), (1, O)),
                lambda _: {"c": grad_x.place.at, "c_row": E, "c_pitch": 0, "bias": None, "relu": 0},
                lambda part: (part.count, E, O), 1, O,
            )  # fmt: skip
        parts, slice = share(E + 1, O, self.batch)
        copies = self.copies(weights, E, O, parts)
        self._product(
            lambda: matrix("a", x.place.at, (1, E)), lambda: matrix("b", grad.place.at, (O, 1), of_y()),
            lambda part: {"c": self.of_pass(copies, part), "c_row": O, "c_pitch": copies.size, "bias": None, "relu": 0},
            lambda part: (E, O, part.count), parts, slice, ones=1,
        )  # fmt: skip

    def _product(
        self,
        a: Callable[[], Arguments],
        b: Callable[[], Arguments],
        c: Callable[[Pass], Arguments],
        size: Callable[[Pass], tuple[int, int, int]],
        parts: int,
        slice: int,
        ones: int = 0,
    ) -> None:
        """c = a (M, K) · b (K, N), `size` being (M, N, K), in `parts` shares of `slice` products each: see kernels/product.cu."""
        M, N, _ = size(Pass(0, self.batch, self.batch))
        side = tile(M + ones, N)

        def geometry(part: Pass) -> tuple[Size, Size]:
            return (-(-(size(part)[0] + ones) // side), -(-N // side), parts), (side * side // 16, 1, 1)

        def arguments(part: Pass) -> Arguments:
            numbers = dict(zip("MNK", size(part), strict=True))
            return a() | b() | c(part) | numbers | {"slice": slice, "ones": ones}

        self.add("product", geometry, arguments, (side,))
