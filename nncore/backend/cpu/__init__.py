"""The CPU: kernels compiled with Numba, which run without the GIL on all cores. backend.py is the way in."""
