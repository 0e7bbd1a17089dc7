"""A matrix product that splits itself when memory runs out."""

from __future__ import annotations

from nncore.arrays import Array, array_module


def matmul(a: Array, b: Array) -> Array:
    """a (M, K) times b (K, N): (M, N), as `a @ b`.

    Where the product does not fit into memory as it stands (BLAS copies operands that are not contiguous, and the GPU
    has a work area), it is done again in halves of a's rows, into one array, down to single rows. Raises MemoryError
    where even the result alone does not fit.
    """
    try:
        return a @ b
    except MemoryError:
        out = array_module(a).empty((a.shape[0], b.shape[1]), (a[:0] @ b[:, :0]).dtype)
        _into(out, a, b)
        return out


def _into(out: Array, a: Array, b: Array) -> None:
    half = len(a) // 2
    if half == 0:
        out[...] = a @ b
        return
    for part in (slice(half), slice(half, None)):
        try:
            out[part] = a[part] @ b
        except MemoryError:
            _into(out[part], a[part], b)
