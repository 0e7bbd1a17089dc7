"""Taking a batch, the loss, and how the parameters follow: see kernels/take.cu, loss.cu, clip.cu and update.cu."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nncore.backend.contract import Constant, Rule, Tensor
from nncore.backend.cuda.base import Arguments, BaseRecorder, image, slice_of
from nncore.backend.cuda.device import At
from nncore.backend.cuda.geometry import threads
from nncore.backend.cuda.memory import Pass
from nncore.backend.cuda.sources import kernels
from nncore.errors import NotCompilable

LOSS_THREADS = 256
"""Threads of the one block that calculates the loss."""
NORM_BLOCKS, NORM_THREADS = 64, 256
"""Blocks that share the sum of the gradient's squares, and threads of each."""


class LearningRecorder(BaseRecorder):
    """Records what begins and what ends a step."""

    def take(self, y: Tensor) -> None:
        size, record = y.rows * y.cols * y.channels, self.record
        record.marks.add("take")
        record.image_size = size

        def arguments(part: Pass) -> Arguments:
            scale = np.float32(1 / 255) if part.pixel == "Byte" else 1
            given = {"images": At(part.images), "order": At(record.order), "clock": At(record.clock), "scale": scale}
            return given | image("y", y) | {"size": size, "width": y.cols * y.channels, "batch": self.batch} | slice_of(part)

        self.add("take", lambda part: threads(part.count * size), arguments, lambda part: (part.pixel,))

    def loss(self, name: str, constants: Sequence[Constant], scores: Tensor, grad: Tensor) -> None:
        """The loss's kernel takes its own numbers, besides those that each has, in the order of `constants`."""
        record = self.record
        record.marks.add("loss")

        def common(part: Pass) -> Arguments:
            return {
                "z": scores.place.at, "labels": At(part.labels), "order": At(record.order), "clock": At(record.clock),
                "g": grad.place.at, "results": At(record.results), "classes": scores.channels, "batch": self.batch,
                "total": part.total, "last": part.last, **slice_of(part),
            }  # fmt: skip

        known = kernels()[name].parameters if name in kernels() else {}
        own = dict(zip([field for field in known if field not in common(Pass(0, 0, 0))], constants, strict=bool(known)))
        one_block = (1, 1, 1), (LOSS_THREADS, 1, 1)
        self.add(name, lambda _: one_block, lambda part: common(part) | own, (LOSS_THREADS,))

    def sum_gradients(self) -> None:
        """No kernel: the update adds the copies up by itself, and `Program.gradient` where it is asked."""
        self.record.marks.add("gradients")

    def freeze(self, places: Sequence[tuple[int, int]]) -> None:
        """No kernel: a frozen parameter has no copies of its gradient to be added up."""
        self.record.frozen.update(start for start, _ in places)

    def clip_gradients(self, max_norm: float) -> None:
        """The copies are added up to find the norm, and each is made shorter: see kernels/clip.cu."""
        record, size = self.record, self.record.vector.parameters
        gradient, partial = self.once_for_all(size), self.once_for_all(NORM_BLOCKS)

        def summed(part: Pass) -> Arguments:
            return {"gradient": gradient.at, **record.table_arguments(part.number + 1)}

        def squares(_: Pass) -> Arguments:
            return {"gradient": gradient.at, "partial": partial.at, "size": size}

        def copies(part: Pass) -> int:
            return (part.number + 1) * record.copies_size

        def clip(part: Pass) -> Arguments:
            shared = {"partial": partial.at, "max_norm": max_norm, "parts": NORM_BLOCKS}
            return {"copies": At(record.copies), "size": copies(part), **shared}

        blocks = (NORM_BLOCKS, 1, 1), (NORM_THREADS, 1, 1)
        self.add("sum_copies", lambda _: threads(size), summed, once=True)
        self.add("gradient_squares", lambda _: blocks, squares, (NORM_THREADS,), once=True)
        self.add("clip_copies", lambda part: threads(copies(part)), clip, once=True)

    def update(self, rule: Rule) -> None:
        record, kernel = self.record, f"update_{rule.name}"
        if kernel not in kernels():
            raise NotCompilable(f"There is no kernel for the optimizer {rule.name} on the GPU.")
        record.marks.add("update")
        record.moved = {part.start: part for part in rule.parts}
        slots = [name for name in ("first", "second") if name in kernels()[kernel].parameters]

        def arguments(part: Pass) -> Arguments:
            buffers = record.moment_buffers or [None] * len(slots)  # none yet while it is asked only which kernels there are
            moments = {name: At(buffer) for name, buffer in zip(slots, buffers, strict=True)}
            each = {"decays": At(record.decay_buffer), "lr_mults": At(record.lr_mult_buffer)}
            rates = {"rates": At(record.rates), "clock": At(record.clock)}
            return {"theta": At(record.theta)} | moments | each | rates | record.table_arguments(part.number + 1)

        size = record.vector.parameters
        self.add(kernel, lambda _: threads(size), arguments, once=True)
