"""`digitlab import`: a network that was trained elsewhere, an ONNX file, as a weights file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.commands.output import counted, print_json, print_line
from nncore.arrays import shape_text
from nncore.errors import WeightsError
from nncore.files import shown
from nncore.weights import save_weights

NAME = "import"
HELP = "Make a weights file of a network that was trained elsewhere (ONNX)."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=Path, metavar="NETWORK.onnx", help="an ONNX file of a small network, its layers in a row")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights file to write (.safetensors)")
    for option, what in (("mean", "mean"), ("std", "standard deviation")):
        parser.add_argument(
            f"--{option}",
            type=float,
            nargs="+",
            default=(),
            metavar="NUMBER",
            help=f"the {what} that its images were normalised by, of values from 0 to 1: one number, or one a channel "
            f"(MNIST's are often {'0.1307' if option == 'mean' else '0.3081'})",
        )
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(arguments: Namespace) -> None:
    from nncore.exchange import load_onnx  # which few other commands use

    out: Path = arguments.out
    if out.exists() and arguments.network.exists() and out.samefile(arguments.network):
        raise WeightsError(f"{shown(out)} is the network itself; give the weights file another name.")
    network, info = load_onnx(arguments.network, arguments.mean, arguments.std)
    save_weights(out, network, info)
    if arguments.json:
        print_json({"event": "finished", "weights": str(out), "layers": len(network.layers), "parameters": network.parameter_count})
        return
    print_line(
        f"Wrote {shown(out)}: {counted(len(network.layers), 'layer')}, {counted(network.parameter_count, 'parameter')}, "
        f"for {shape_text(network.input_shape)}, {network.classes} classes."
    )
