"""What an ONNX file holds: its operators, constants, inputs and outputs, as far as networks of nncore's kind need them.

Sizes are held against the file before anything is made of them, and numbers stay where they are in the file until a layer takes
them. The numbers of fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from nncore.arrays import Array
from nncore.errors import DataError, WeightsError
from nncore.exchange.protobuf import Value, Wire, number_at, part, text, whole
from nncore.files import MODEST, file_size, opened, printable, shortened, shown, size_text

MOST_FIELDS = 1_000_000
"""Fields that are read of a file, each in about a microsecond."""
MOST_NODES = 10_000
MOST_TENSORS = 20_000
MOST_NUMBERS = 1000
"""Numbers in a list that is no tensor."""
MOST_AXES = 8
LARGEST_VERSION = 10_000
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}
"""Kinds of numbers by ONNX's code: those that weights may be of."""
KINDS = FLOATS | {6: "<i4", 7: "<i8", 9: "?"}

Attribute: TypeAlias = int | float | str | tuple[int, ...] | tuple[float, ...] | Array
Sizes: TypeAlias = tuple[int | None, ...]
"""A shape in a file; None where it says no number."""


OWN_DOMAINS = ("", "ai.onnx")
"""Both names of ONNX's own operators."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operator and what it is applied to; an empty name stands for an input or output that is left out."""

    operator: str
    name: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    @property
    def is_own(self) -> bool:
        """Whether it is one of ONNX's own operators; what another domain calls so may do anything."""
        return self.domain in OWN_DOMAINS

    def __str__(self) -> str:
        """The operator and its name as a message shows them."""
        name = self.name or (self.outputs[0] if self.outputs else "")
        return printable(shortened(self.operator) + (f" ({shortened(name)})" if name else ""))


PRODUCER = "digitlab"
"""What files say that DigitLab has written."""


@dataclass(eq=False)
class OnnxFile:
    """The graph of a file."""

    opset: int = 0
    """The version of ONNX's own operators."""
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, tuple[int, Sizes]] = field(default_factory=dict)
    """By name: the kind of numbers by ONNX's code, and the shape with the batch. Constants may be among them."""
    outputs: list[str] = field(default_factory=list)
    producer: str = ""
    """The program that wrote the file, as it says."""


def read_onnx(path: Path) -> OnnxFile:
    """The graph of an ONNX file. Raises WeightsError where it is too large, damaged, or keeps numbers in other files."""
    try:
        with opened(path) as file:
            if (size := file_size(file)) > MODEST:
                raise WeightsError(f"{shown(path)} has {size_text(size)}; ONNX files of up to {size_text(MODEST)} are opened.")
            content = memoryview(file.read(MODEST + 1))
        found = _Parser().model(content)
    except DataError as error:
        raise WeightsError(str(error)) from error
    except _ElsewhereError as error:
        raise WeightsError(
            f"{shown(path)} keeps its weights in another file, which is not opened; "
            "export it as one file, in PyTorch with torch.onnx.export(…, external_data=False)."
        ) from error
    except (ValueError, OverflowError) as error:
        raise WeightsError(f"{shown(path)} is damaged or is no ONNX file.") from error
    if not found.nodes or not found.opset:
        raise WeightsError(f"{shown(path)} is damaged or is no ONNX file.")
    return found


class _ElsewhereError(Exception):
    """The numbers of a tensor are in another file."""


class _Parser:
    """Takes the messages of a file apart. Every method raises ValueError where its message is damaged."""

    def __init__(self) -> None:
        self._fields = Wire(MOST_FIELDS).fields
        self._tensors = 0

    def model(self, message: memoryview) -> OnnxFile:
        found: OnnxFile | None = None
        opset, producer = 0, ""
        for number, value in self._fields(message):
            if number == 2:
                producer = text(value)
            elif number == 7:
                if found is not None:
                    raise ValueError("two graphs")
                found = self._graph(part(value))
            elif number == 8:
                opset = self._opset(part(value)) or opset
        if found is None:
            raise ValueError("no graph")
        found.opset, found.producer = opset, producer
        return found

    def _opset(self, message: memoryview) -> int:
        """The version of ONNX's own operators; 0 where the message speaks of others."""
        domain, version = "", 0
        for number, value in self._fields(message):
            if number == 1:
                domain = text(value)
            elif number == 2:
                version = whole(value)
        return version if domain in OWN_DOMAINS and 0 < version <= LARGEST_VERSION else 0

    def _graph(self, message: memoryview) -> OnnxFile:
        found = OnnxFile()
        for number, value in self._fields(message):
            if number == 1:
                found.nodes.append(self._node(part(value)))
                if len(found.nodes) > MOST_NODES:
                    raise ValueError("too many nodes")
            elif number == 5:
                name, array = self._tensor(part(value))
                if not name or name in found.constants:
                    raise ValueError("two constants of one name")
                found.constants[name] = array
            elif number == 11:
                name, kind, sizes = self._value_info(part(value))
                found.inputs[name] = kind, sizes
            elif number == 12:
                found.outputs.append(self._value_info(part(value))[0])
        return found

    def _node(self, message: memoryview) -> Node:
        texts = {3: "", 4: "", 7: ""}
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: dict[str, Attribute] = {}
        for number, value in self._fields(message):
            if number in texts:
                texts[number] = text(value)
            elif number in (1, 2):
                (inputs if number == 1 else outputs).append(text(value))
            elif number == 5:
                name, attribute = self._attribute(part(value))
                if attribute is not None:
                    attributes[name] = attribute
        return Node(texts[4], texts[3], texts[7], tuple(inputs), tuple(outputs), attributes)

    def _attribute(self, message: memoryview) -> tuple[str, Attribute | None]:
        """An attribute's name and value; None where it is of a kind that no layer has, such as a graph."""
        name = ""
        found: Attribute | None = None
        whole_numbers: list[int] = []
        floats: list[float] = []
        for number, value in self._fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                found = float(str(np.frombuffer(part(value), "<f4", 1)[0]))  # 0.1 rather than 0.10000000149
            elif number == 3:
                found = whole(value)
            elif number == 4:
                found = text(value, longest=len(message))[:MOST_NUMBERS]
            elif number == 5:
                found = self._tensor(part(value))[1]
            elif number == 7:
                floats += np.frombuffer(part(value), "<f4").tolist()
            elif number == 8:
                whole_numbers += _whole_numbers(value)
            if len(whole_numbers) + len(floats) > MOST_NUMBERS:
                raise ValueError("too many numbers")
        return name, tuple(whole_numbers) or tuple(floats) or found

    def _tensor(self, message: memoryview) -> tuple[str, Array]:
        """A tensor's name, and its numbers as a view into the file."""
        self._tensors += 1
        if self._tensors > MOST_TENSORS:
            raise ValueError("too many tensors")
        name, kind = "", 0
        shape: list[int] = []
        listed: list[int] = []
        content: memoryview | None = None
        for number, value in self._fields(message):
            if number == 1:
                shape += _whole_numbers(value)
            elif number == 2:
                kind = whole(value)
            elif number in (4, 9, 10):  # float_data, raw_data and double_data are the same bytes
                if content is not None:
                    raise ValueError("numbers in two places")
                content = part(value)
            elif number in (5, 7):
                listed += _whole_numbers(value)
            elif number == 8:
                name = text(value)
            elif number == 13 or (number == 14 and whole(value) != 0):
                raise _ElsewhereError
            if len(shape) > MOST_AXES or len(listed) > MOST_NUMBERS:
                raise ValueError("too many axes, or numbers in a list")
        if kind not in KINDS or min(shape, default=1) < 0:
            raise ValueError("an unknown kind of numbers, or a shape that there cannot be")
        dtype = np.dtype(KINDS[kind])
        if listed and content is None and kind not in FLOATS:
            array = np.array(listed, dtype)
        else:
            array = np.frombuffer(content if content is not None else b"", dtype)
        return name, array.reshape(shape)  # a ValueError where there is another number of values than the shape says

    def _value_info(self, message: memoryview) -> tuple[str, int, Sizes]:
        """The name, kind of numbers and shape of an input or output. Whatever is no tensor has kind 0."""
        name, kind, sizes = "", 0, list[int | None]()
        for number, value in self._fields(message):
            if number == 1:
                name = text(value)
            elif number == 2:
                for tensor in self._each(part(value), 1):
                    for inner, content in self._fields(tensor):
                        if inner == 1:
                            kind = whole(content)
                        elif inner == 2:
                            sizes = [self._size(dimension) for dimension in self._each(part(content), 1)]
        return name, kind, tuple(sizes)

    def _each(self, message: memoryview, wanted: int) -> list[memoryview]:
        return [part(value) for number, value in self._fields(message) if number == wanted]

    def _size(self, message: memoryview) -> int | None:
        """A size of a shape; None where there is a name in its place, or nothing."""
        return next((whole(value) for number, value in self._fields(message) if number == 1), None)


def _whole_numbers(value: Value) -> list[int]:
    """A field of whole numbers: one, or several in a row. ValueError where there are more than MOST_NUMBERS."""
    if isinstance(value, int):
        return [whole(value)]
    found: list[int] = []
    place = 0
    while place < len(value):
        number, place = number_at(value, place)
        found.append(whole(number))
        if len(found) > MOST_NUMBERS:
            raise ValueError("too many numbers in a list")
    return found
