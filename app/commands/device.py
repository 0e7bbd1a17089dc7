"""The option --device, and what is said about it."""

from __future__ import annotations

from argparse import ArgumentParser

from app.commands.output import console
from nncore.backend.cuda.gpus import get_gpu, is_gpu_expected
from nncore.backend.devices import why_not_cuda


def add_device(parser: ArgumentParser, default: str, why: str = "") -> None:
    """Add --device; its help gives the default, and `why` it is that."""
    parser.add_argument(
        "--device",
        default=default,
        metavar="DEVICE",
        help="where to compute: auto (a GPU where one can be used, else the CPU), cpu, cuda (the first GPU), cuda:1 (another one), "
        f"or, slow and to compare with, reference and cuda-host; default {default}{why}",
    )


def say_device(asked: str, device: str) -> None:
    """On a terminal, name the GPU that a training runs on; or say why `auto` has taken none, where somebody has prepared this
    machine for one.
    """
    if not console.is_terminal:
        return
    if device.startswith("cuda:"):
        console.print(f"Training on {device}, {get_gpu(int(device[5:])).name}.", soft_wrap=True)
    elif asked == "auto" and is_gpu_expected() and (reason := why_not_cuda()):
        console.print(f"Training on the CPU: {reason}", soft_wrap=True)
