"""The GPU: kernels in CUDA C (kernels/*.cu), recorded as launches, run by CuPy on a GPU or, compiled by g++, on the CPU."""
