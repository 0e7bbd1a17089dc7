"""PyTorch's side of the race, as fast as its own means make it.

Images lie on the GPU as uint8, in the memory layout under test; a step gathers its own by their numbers and scales them. Losses
stay on the GPU until a stretch of steps ends. Right answers are not counted, which nncore does: that is in PyTorch's favour.
Optimizers are PyTorch's fused ones. Of the variants,
- `eager` launches one operation after the other;
- `graph` replays the whole step, optimizer included, as one CUDA graph: numbers of images and losses lie in buffers of the GPU;
- `compile` is torch.compile(mode="reduce-overhead") of gathering, network and loss, which captures graphs of its own, and then
  the fused optimizer, as PyTorch's documentation has it.
On a CPU, for the tests, nothing is captured, so that `graph` runs its step as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import Trained
from benchmarks.gpu.given import Order, Stretch, given
from benchmarks.torch_modules import load, modules
from nncore.arrays import Array
from nncore.errors import DeviceError
from nncore.network import Network

VARIANTS = ("eager", "graph", "compile")
LAYOUTS = ("default", "channels_last")
WARM_UP = 3
"""Steps before a capture, on a stream of their own, as PyTorch asks for."""


class Torch:
    """PyTorch on `cuda`, `cuda:1` or, for tests, `cpu`. The precision of products counts for the whole process."""

    def __init__(self, device: str, tf32: bool) -> None:
        try:
            import torch
        except ImportError as error:
            raise DeviceError("PyTorch is not installed, which nncore is to be measured beside; install it with CUDA.") from error
        self.torch, self.tf32 = torch, tf32
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise DeviceError(f"PyTorch {torch.__version__} finds no GPU that it can use; install one that was built for CUDA.")
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        else:
            torch.set_num_threads(1)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True

    def describe(self) -> dict[str, str]:
        torch, on_gpu = self.torch, self.device.type == "cuda"
        found = {"torch": str(torch.__version__), "tf32": "on" if self.tf32 else "off"}
        return found | ({"gpu": torch.cuda.get_device_name(self.device), "cuda": str(torch.version.cuda)} if on_gpu else {})

    def learner(self, trained: Trained, batch: int, variant: str, layout: str, images: int) -> Stretch:
        training = Training(self, trained, batch, layout, images)
        return {"eager": training.eager, "graph": training.graph, "compile": training.compiled}[variant]()

    def answerer(self, trained: Trained, count: int, variant: str, layout: str) -> Callable[[], Array]:
        torch = self.torch
        model, on_gpu = self.model(trained, layout).eval(), self.device.type == "cuda"
        pixels = self.laid_out(given(trained, count)[0], layout, "cpu")
        host, there = (pixels.pin_memory() if on_gpu else pixels), pixels.to(self.device)

        def whole(pixels: Any) -> Any:
            return model(self.scaled(pixels, layout))

        call = self.compiled(whole, there) if variant == "compile" else whole
        with torch.inference_mode():
            again = self.captured(lambda: call(there)) if variant == "graph" else None

        def answer() -> Array:
            with torch.inference_mode():
                there.copy_(host, non_blocking=True)
                scores = again() if again else call(there)
                return np.asarray(scores.cpu())

        for _ in range(WARM_UP):
            answer()
        return answer

    def model(self, trained: Trained, layout: str) -> Any:
        """The network with nncore's first weights."""
        torch = self.torch
        network = Network(trained.layers(), trained.input_shape)
        model = torch.nn.Sequential(*modules(network.layers, torch))
        load(model, network.layers, torch)
        form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        return model.to(self.device, memory_format=form)

    def laid_out(self, images: Array, layout: str, device: Any) -> Any:
        """uint8 images on the device: NHWC for channels_last, NCHW otherwise."""
        values = images if layout == "channels_last" else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        return self.torch.tensor(values, device=device)

    def scaled(self, pixels: Any, layout: str) -> Any:
        """Numbers from 0 to 1, NCHW in the memory layout asked for."""
        return (pixels.permute(0, 3, 1, 2) if layout == "channels_last" else pixels).to(self.torch.float32) * (1 / 255)

    def compiled(self, function: Callable[..., Any], *fixed: Any) -> Callable[..., Any]:
        """The function compiled to graphs; `fixed` are tensors that stay where they are, which saves copying them."""
        for tensor in fixed:
            self.torch._dynamo.mark_static_address(tensor)
        return self.torch.compile(function, mode="reduce-overhead")  # type: ignore[no-any-return]

    def captured(self, step: Callable[[], Any]) -> Callable[[], Any]:
        """The step as a CUDA graph, after warming up; it gives back what it has made. On a CPU the step itself."""
        torch = self.torch
        if self.device.type != "cuda":
            return step
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            made = step()

        def again() -> Any:
            graph.replay()
            return made

        return again


class Training:
    """A network, its optimizer and its images; each variant makes a stretch of them."""

    def __init__(self, side: Torch, trained: Trained, batch: int, layout: str, images: int) -> None:
        torch = self.torch = side.torch
        self.side, self.layout = side, layout
        self.model = side.model(trained, layout)
        pixels, labels = given(trained, images)
        self.images, self.labels = side.laid_out(pixels, layout, side.device), torch.tensor(labels, device=side.device)
        self.loss, self.numbers = torch.nn.CrossEntropyLoss(), Order(images, batch)
        parameters = list(self.model.parameters())
        if trained.optimizer == "adam":
            on_gpu = side.device.type == "cuda"
            self.optimizer = torch.optim.Adam(parameters, trained.learning_rate, fused=True, capturable=on_gpu)
        else:
            self.optimizer = torch.optim.SGD(parameters, trained.learning_rate, fused=True)
        steps = self.numbers.steps
        self.order = torch.zeros((steps, batch), dtype=torch.int64, device=side.device)
        self.losses = torch.zeros(steps, device=side.device)
        self.first = {name: value.clone() for name, value in self.model.state_dict().items()}

    def forward(self, chosen: Any) -> Any:
        """The loss of the chosen images."""
        x = self.side.scaled(self.images.index_select(0, chosen), self.layout)
        return self.loss(self.model(x), self.labels.index_select(0, chosen))

    def learn(self, chosen: Any, forward: Callable[[Any], Any]) -> Any:
        """One step; its loss, on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = forward(chosen)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def begin_again(self) -> None:
        """First weights and empty averages, in the memory where they are: warming up has used them."""
        self.model.load_state_dict(self.first)
        for state in self.optimizer.state.values():
            for value in state.values():
                if self.torch.is_tensor(value):
                    value.zero_()

    def stretch(self, steps: Callable[[int], None]) -> Stretch:
        """From `steps`, which takes so many steps of `order` and leaves `losses`."""

        def stretch(count: int) -> Array:
            numbers = self.torch.from_numpy(self.numbers.take(count))
            self.order[: len(numbers)].copy_(numbers)
            steps(len(numbers))
            return self.losses[: len(numbers)].cpu().numpy().astype(np.float64)

        return stretch

    def eager(self) -> Stretch:
        def steps(count: int) -> None:
            for n in range(count):
                self.losses[n].copy_(self.learn(self.order[n], self.forward))

        return self.stretch(steps)

    def graph(self) -> Stretch:
        clock = self.torch.zeros(1, dtype=self.torch.int64, device=self.side.device)

        def step() -> None:
            loss = self.learn(self.order.index_select(0, clock).view(-1), self.forward)
            self.losses.index_copy_(0, clock, loss.view(1))
            clock.add_(1)

        again = self.side.captured(step)
        self.begin_again()

        def steps(count: int) -> None:
            clock.zero_()
            for _ in range(count):
                again()

        return self.stretch(steps)

    def compiled(self) -> Stretch:
        forward = self.side.compiled(self.forward, self.images, self.labels)

        def steps(count: int) -> None:
            for n in range(count):
                self.torch.compiler.cudagraph_mark_step_begin()
                self.losses[n].copy_(self.learn(self.order[n], forward))

        steps(min(2 * WARM_UP, len(self.order)))
        self.begin_again()
        return self.stretch(steps)
