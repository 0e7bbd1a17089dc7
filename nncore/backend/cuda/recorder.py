"""Recorder: what a plan asks for, as launches of CUDA kernels. See nncore/backend/contract.py for what each method means."""

from __future__ import annotations

from nncore.backend.contract import Program
from nncore.backend.cuda.convolution import ConvolutionRecorder
from nncore.backend.cuda.elementwise import ElementwiseRecorder
from nncore.backend.cuda.learning import LearningRecorder
from nncore.backend.cuda.linear import LinearRecorder
from nncore.backend.cuda.norm import NormRecorder
from nncore.backend.cuda.pooling import PoolingRecorder
from nncore.backend.cuda.program import CudaProgram


class CudaRecorder(LinearRecorder, ConvolutionRecorder, PoolingRecorder, NormRecorder, ElementwiseRecorder, LearningRecorder):
    """All operations together; each of its bases records a kind of them, and stands beside the kernels of that kind."""

    def is_loaded(self) -> bool:
        return all(map(self.record.device.has, self.record.kernel_keys()))

    def finish(self) -> Program:
        return CudaProgram(self.record)
