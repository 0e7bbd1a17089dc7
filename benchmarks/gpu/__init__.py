"""nncore beside PyTorch on a GPU: `python -m benchmarks gpu`, see race.py."""
