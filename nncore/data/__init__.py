"""Datasets: opened by name or path, or drawn by code."""

from nncore.data.catalogue import KnownDataset, available_datasets, default_dataset, open_dataset, open_test
from nncore.data.dataset import DIGITS, Dataset
from nncore.data.street import synthetic_street
from nncore.data.synthetic import synthetic

__all__ = [
    "DIGITS",
    "Dataset",
    "KnownDataset",
    "available_datasets",
    "default_dataset",
    "open_dataset",
    "open_test",
    "synthetic",
    "synthetic_street",
]
