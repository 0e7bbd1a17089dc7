"""Networks from and for other programs: ONNX files, and scripts in NumPy and PyTorch."""

from nncore.exchange.onnx_read import load_onnx
from nncore.exchange.onnx_write import onnx_model, save_onnx
from nncore.exchange.scripts import SCRIPT_FILES, save_scripts

__all__ = ["SCRIPT_FILES", "load_onnx", "onnx_model", "save_onnx", "save_scripts"]
