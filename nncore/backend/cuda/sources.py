"""The kernels' sources, and what can be read from them: each kernel's parameters, and whether its file has barriers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

FOLDER = Path(__file__).parent / "kernels"

Instance: TypeAlias = tuple[int | str, ...]
"""What a kernel's template parameters are filled with: (3, 4) of pooled_convolution<3, 4>; empty for a kernel without."""
Key: TypeAlias = tuple[str, Instance]
"""A kernel by its name, and which instance of it."""

_HEAD = re.compile(r"(?:template\s*<([^>]*)>\s*)?__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)")
_COMMENT = re.compile(r"//[^\n]*")


@dataclass(frozen=True)
class Kernel:
    """One `__global__` function: its file, template parameters, and its parameters' C++ types by name, in order."""

    file: str
    name: str
    template: tuple[str, ...]
    parameters: dict[str, str]

    def expression(self, instance: Instance) -> str:
        """The C++ name of one instance: `kernels::take<Byte>`."""
        return f"kernels::{self.name}" + (f"<{', '.join(map(str, instance))}>" if self.template else "")

    def types(self, instance: Instance) -> dict[str, str]:
        """The parameters' types with the template's parameters filled in."""
        filled = dict(zip(self.template, map(str, instance), strict=True))
        return {name: re.sub(r"\w+", lambda word: filled.get(word[0], word[0]), kind) for name, kind in self.parameters.items()}


@cache
def text(file: str) -> str:
    """A source with what all share put in front, as every compiler gets it.

    Kernels are in a namespace of their own, since C has functions of the same names: `tanh`.
    """
    source = (FOLDER / file).read_text("utf-8")
    return f'{(FOLDER / "common.cuh").read_text("utf-8")}\nnamespace kernels {{\n#line 1 "{file}"\n{source}\n}}\n'


def has_barriers(file: str) -> bool:
    """Whether threads of a block wait for each other in this file."""
    return "__syncthreads" in text(file)


@cache
def kernels() -> dict[str, Kernel]:
    """Every kernel by its name."""
    found = {}
    for path in sorted(FOLDER.glob("*.cu")):
        for template, name, parameters in _HEAD.findall(_COMMENT.sub("", path.read_text("utf-8"))):
            names = tuple(part.split()[-1] for part in template.split(",")) if template else ()
            types = {}
            for part in parameters.split(","):
                kind, parameter = re.fullmatch(r"\s*(.*?)\s*(\w+)\s*", part, re.DOTALL).groups()  # type: ignore[union-attr]
                types[parameter] = " ".join(kind.split())
            found[name] = Kernel(path.name, name, names, types)
    return found
