"""A layer without parameters that names its own kernel: plan, recorder and reference need not know it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from numba import float32
from trial import GPU

from nncore.backend.cpu.compiling import operation
from nncore.backend.cpu.memory import get, put
from nncore.backend.cpu.operations import OPERATIONS
from nncore.backend.cpu.views import Image, Real
from nncore.backend.cuda import sources
from nncore.errors import NotCompilable
from nncore.layers import Conv2d, Flatten, Layer, Linear, ReLU
from nncore.losses import CrossEntropyLoss
from nncore.network import Network
from nncore.plan import Plan


class RowSums(Layer):
    """y[n, i, 0, c] = share · Σⱼ x[n, i, j, c]: another shape, and a number of its own."""

    kind, kernel, settings = "rowsums", "row_sums", ("share",)

    def __init__(self, share: float) -> None:
        self.share = share

    def kernel_numbers(self):
        return {"share": self.share}

    def infer_shape(self, input_shape):
        return input_shape[0], 1, input_shape[2]

    def forward(self, x):
        return x.sum(axis=2, keepdims=True) * x.dtype.type(self.share)

    def backward(self, grad):
        return np.broadcast_to(grad * grad.dtype.type(self.share), (len(grad), *self.input_shape))


@operation
def row_sums(m, count, x: Image, y: Image, rows, x_cols, C, share: Real):
    for n in range(count):
        for i in range(rows):
            for c in range(C):
                total = float32(0)
                for j in range(x_cols):
                    total += get(m, x.at + n * x.pitch + i * x.row + j * C + c)
                put(m, y.at + n * y.pitch + i * y.row + c, total * share)


@operation
def row_sums_back(m, count, g: Image, gx: Image, rows, x_cols, C, share: Real):
    for n in range(count):
        for i in range(rows):
            for j in range(x_cols):
                for c in range(C):
                    grad = get(m, g.at + n * g.pitch + i * g.row + c)
                    put(m, gx.at + n * gx.pitch + i * gx.row + j * C + c, grad * share)


class Louder(RowSums):
    """Overrides the formula, and therefore has no kernel."""

    def forward(self, x):
        return 2 * super().forward(x)


ROWS = """
__global__ void row_sums(
    const float* x, int x_pitch, int x_row, float* y, int y_pitch, int y_row, int rows, int x_cols, int C, float share, int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x;
    int c = item % C, i = item / C % rows, n = item / C / rows;
    if (n >= count) return;
    float total = 0;
    for (int j = 0; j < x_cols; j++) total += x[(size_t)n * x_pitch + i * x_row + j * C + c];
    y[(size_t)n * y_pitch + i * y_row + c] = total * share;
}

__global__ void row_sums_back(
    const float* g, int g_pitch, int g_row, float* gx, int gx_pitch, int gx_row, int rows, int x_cols, int C, float share,
    int count)
{
    int item = blockIdx.x * blockDim.x + threadIdx.x;
    int c = item % C, j = item / C % x_cols, i = item / C / x_cols % rows, n = item / C / x_cols / rows;
    if (n >= count) return;
    gx[(size_t)n * gx_pitch + i * gx_row + j * C + c] = g[(size_t)n * g_pitch + i * g_row + c] * share;
}
"""
"""The same for the GPU."""


@pytest.fixture
def of_the_gpu(monkeypatch, tmp_path):
    """A folder of kernels that has ours besides."""
    folder = tmp_path / "kernels"
    shutil.copytree(sources.FOLDER, folder)
    (folder / "rows.cu").write_text(ROWS, "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(sources, "FOLDER", folder)
        for cached in (sources.kernels, sources.text):
            cached.cache_clear()
        yield
    for cached in (sources.kernels, sources.text):
        cached.cache_clear()


def network(layer: Layer) -> Network:
    return Network([Conv2d(3, 3, padding=1), layer, Conv2d(4, (3, 1), padding=(1, 0)), ReLU(), Flatten(), Linear(5)], (6, 7, 2))


@pytest.mark.parametrize("device", ["cpu", "reference", "cuda-host", "cuda-host backwards", GPU], indirect=True)
@pytest.mark.parametrize("replicas", [1, 2])
def test_it_is_compiled(monkeypatch, of_the_gpu, device, replicas):
    for made in (row_sums, row_sums_back):
        monkeypatch.setitem(OPERATIONS, made.name, made)
    mine, readable = network(RowSums(0.25)), network(RowSums(0.25))
    rng, loss = np.random.default_rng(1), CrossEntropyLoss()
    x, labels = rng.random((5, 6, 7, 2), np.float32), rng.integers(5, size=5)
    plan = Plan(mine, (5, 6, 7, 2), loss, replicas=replicas, device=device)
    np.testing.assert_allclose(plan.forward(x), readable.forward(x), rtol=1e-4, atol=1e-5)
    assert plan.gradients(x, labels) == pytest.approx(loss(readable.forward(x), labels), rel=1e-5)
    readable.backward(loss.backward())
    for name, parameter in readable.parameters().items():
        np.testing.assert_allclose(mine.parameters()[name].grad, parameter.grad, rtol=1e-3, atol=1e-6)


def test_a_subclass_that_changes_a_formula_has_no_kernel():
    class Doubled(Conv2d):
        def forward(self, x):
            return 2 * super().forward(x)

    for layer in (Louder(0.5), Doubled(3, 3, padding=1)):
        with pytest.raises(NotCompilable):
            Plan(network(layer), (2, 6, 7, 2))
