"""Where the well-known datasets are published: their files, sizes, SHA-256 sums, and the servers that offer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """A published file."""

    name: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Source:
    """A dataset's published files and where they can be had."""

    name: str
    title: str
    folder: str
    """The folder of the user's data folder that its files belong in."""
    files: tuple[RemoteFile, ...]
    images: Mapping[str, int]
    """How many a split."""
    mirrors: tuple[str, ...]
    """Addresses to which a file's name is added, the one to try first first. Whichever it comes from, the sum must be right."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


MNIST_FILES = (
    RemoteFile("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    RemoteFile("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    RemoteFile("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    RemoteFile("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)
SVHN_TRAIN = RemoteFile("train_32x32.mat", 182_040_794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8")
SVHN_TEST = RemoteFile("test_32x32.mat", 64_275_384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b")
SVHN_EXTRA = RemoteFile("extra_32x32.mat", 1_329_278_602, "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3")
# Its authors' own server is the only one that offers these files.
SVHN_MIRRORS = ("http://ufldl.stanford.edu/housenumbers/", "https://ufldl.stanford.edu/housenumbers/")

SOURCES = {
    source.name: source
    for source in (
        Source("mnist", "MNIST", "mnist", MNIST_FILES, {"train": 60_000, "test": 10_000}, MNIST_MIRRORS),
        Source("svhn", "SVHN", "svhn", (SVHN_TRAIN, SVHN_TEST), {"train": 73_257, "test": 26_032}, SVHN_MIRRORS),
        Source("svhn-extra", "SVHN extra", "svhn", (SVHN_EXTRA, SVHN_TEST), {"train": 531_131, "test": 26_032}, SVHN_MIRRORS),
    )
}
"""By the dataset's name."""
