"""The wire format of Protocol Buffers, in which ONNX files are written: the fields of a message, one after the other.

A reader of our own, because the usual one builds an object for every message that a file holds before anybody can say that there
are too many: two bytes of a file cost it a hundred of memory. This one makes nothing but views into the file.
https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = int | memoryview
"""What a field holds: a whole number, or bytes (a message, text, numbers in a row, or one number of 4 or 8 bytes)."""

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
"""Kinds of fields, as the lowest three bits of their tag say."""
LONGEST_NUMBER = 10
"""Bytes that a number of 64 bits may take."""


class Wire:
    """Reads the messages of one file. Raises ValueError where one is damaged, or there are more fields than `most` in all."""

    def __init__(self, most: int) -> None:
        self._left = most

    def fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """The number and the value of each field of a message, in order."""
        place, end = 0, len(message)
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError("too many fields")
            tag, place = number_at(message, place)
            kind = tag & 7
            value: Value
            if kind == VARINT:
                value, place = number_at(message, place)
            elif kind in (EIGHT_BYTES, BYTES, FOUR_BYTES):
                size, place = number_at(message, place) if kind == BYTES else (8 if kind == EIGHT_BYTES else 4, place)
                if size > end - place:
                    raise ValueError("a field is longer than its message")
                value, place = message[place : place + size], place + size
            else:
                raise ValueError("an unknown kind of field")
            yield tag >> 3, value


def number_at(message: memoryview, place: int) -> tuple[int, int]:
    """The whole number, of at most 64 bits, at a place of a message, and the place behind it. ValueError where it is cut off."""
    number = 0
    for count, byte in enumerate(message[place : place + LONGEST_NUMBER]):
        number |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return number & (2**64 - 1), place + count + 1
    raise ValueError("a number is cut off")


def whole(value: Value) -> int:
    """A field's value as a whole number with a sign. ValueError where it is none."""
    if isinstance(value, int):
        return value - 2**64 if value >= 2**63 else value
    raise ValueError("bytes in the place of a number")


def part(value: Value) -> memoryview:
    """A field's value as bytes. ValueError where it is a number."""
    if isinstance(value, int):
        raise ValueError("a number in the place of bytes")
    return value


def text(value: Value, longest: int = 1000) -> str:
    """A field's value as text. ValueError where it is none, or longer than `longest` bytes."""
    content = part(value)
    if len(content) > longest:
        raise ValueError("a text is too long")
    return bytes(content).decode("utf-8")
