"""What was read on a picture: its digits line by line with what the user has corrected, as text and as a table. Qt-free.

Views ask for the same many times while a page is looked at, so what follows from the digits is worked out once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nncore.recognition import Digit, Verdict, foremost
from nncore.vision import Box

COLUMNS = ("line", "place", "digit", "confidence", "sure", "second", "x", "y", "width", "height", "corrected")
"""The table's columns. `confidence` is the probability that the network gives to `digit`, `second` the likeliest other digit."""


def looked_at(digits: Sequence[Digit], chosen: int | None) -> Digit | None:
    """The one of all that was found on a picture that is looked at: the one at `chosen`, or the last where there are fewer.

    Where nobody has chosen it is the first digit, or where nothing is a digit the first thing. None for nothing.
    """
    if not digits:
        return None
    if chosen is not None:
        return digits[min(chosen, len(digits) - 1)]
    return foremost(digits)


@dataclass(frozen=True, eq=False)
class ReadDigit:
    """A digit of a picture, where it stands, and what the user says of it."""

    index: int
    """Its place among all that was found on the picture, from 0."""
    found: Digit
    line: int
    """The line it stands in, from 1; 0 for what is no digit, which stands nowhere."""
    place: int
    """Its place in that line, from 1; 0 for what is no digit."""
    correction: int | None = None
    """The digit that the user says it is; None where the user has said nothing."""

    @property
    def digit(self) -> int:
        """What is read: the user's word, or else the network's answer."""
        return self.found.answer.digit if self.correction is None else self.correction

    @cached_property
    def is_digit(self) -> bool:
        return self.correction is not None or self.found.verdict is not Verdict.NO_DIGIT

    @cached_property
    def is_sure(self) -> bool:
        """Whether nobody needs to look at it again."""
        return self.correction is not None or self.found.verdict is Verdict.SURE

    @cached_property
    def words(self) -> str:
        """What is known of it in a few words: `4, 99.4 % sure`, `7 or 1, 62.0 % sure`, `no digit`, `9, corrected by you`."""
        if self.correction is not None:
            return f"{self.correction}, corrected by you"
        if not self.is_digit:
            return "no digit"
        first = str(self.digit) if self.is_sure else self.alternatives
        return f"{first}, {self.found.answer.confidence * 100:.1f} % sure"

    @cached_property
    def alternatives(self) -> str:
        """The two likeliest digits: `7 or 1`."""
        first, second = self.found.answer.likeliest
        return f"{first} or {second}"


@dataclass(frozen=True, eq=False)
class Reading:
    """All that was found on a picture, in reading order."""

    found: tuple[ReadDigit, ...] = ()

    @classmethod
    def of(cls, digits: Sequence[Digit], corrections: Mapping[Box, int]) -> Reading:
        """Digits in reading order, and what the user says of those that lie at certain boxes."""
        found: list[ReadDigit] = []
        line, place, of_line = 0, 0, -1
        for index, digit in enumerate(digits):
            correction = corrections.get(digit.box)
            if correction is None and digit.verdict is Verdict.NO_DIGIT:
                found.append(ReadDigit(index, digit, 0, 0))
                continue
            if digit.line != of_line:  # lines that hold no digits are not counted
                line, place, of_line = line + 1, 0, digit.line
            place += 1
            found.append(ReadDigit(index, digit, line, place, correction))
        return cls(tuple(found))

    def looked_at(self, chosen: int | None) -> ReadDigit | None:
        """The one that is looked at, as in the function of that name."""
        digit = looked_at([each.found for each in self.found], chosen)
        return next((each for each in self.found if each.found is digit), None)

    @cached_property
    def digits(self) -> tuple[ReadDigit, ...]:
        """What is read, without what is no digit."""
        return tuple(each for each in self.found if each.is_digit)

    @cached_property
    def lines(self) -> list[list[ReadDigit]]:
        """The digits of each line."""
        lines: list[list[ReadDigit]] = []
        for each in self.digits:
            if each.line > len(lines):
                lines.append([])
            lines[-1].append(each)
        return lines

    @cached_property
    def text(self) -> str:
        """The digits as text, a line each."""
        return "\n".join("".join(str(each.digit) for each in line) for line in self.lines)

    @cached_property
    def unsure(self) -> tuple[ReadDigit, ...]:
        """The digits that somebody should look at."""
        return tuple(each for each in self.digits if not each.is_sure)

    def next_unsure(self, after: int) -> ReadDigit | None:
        """The first unsure digit after the one at index `after`, beginning again at the first; None where there is none."""
        unsure = self.unsure
        return next((each for each in unsure if each.index > after), unsure[0] if unsure else None)

    def where(self, index: int) -> str:
        """Where what lies at an index stands: `line 1, digit 4 of 5`; empty where it stands nowhere."""
        each = self.found[index]
        if not each.is_digit:
            return ""
        return f"line {each.line}, digit {each.place} of {len(self.lines[each.line - 1])}"

    @cached_property
    def counts(self) -> str:
        """How many digits are sure and corrected: `23 sure`, `22 sure · 1 corrected by you`."""
        corrected = sum(each.correction is not None for each in self.digits)
        words = [f"{len(self.digits) - len(self.unsure) - corrected} sure"]
        if corrected:
            words.append(f"{corrected} corrected by you")
        if other := len(self.found) - len(self.digits):
            words.append(f"{other} no digit")
        return " · ".join(words)

    def to_check(self, after: int) -> str:
        """How many digits should be looked at, and which is the next after an index: `1 to check: line 2, “7 or 1”`."""
        each = self.next_unsure(after)
        if each is None:
            return ""
        return f"{len(self.unsure)} to check: line {each.line}, “{each.alternatives}”"

    def csv(self) -> str:
        """The table of the digits as CSV, a row each under the names of COLUMNS. Boxes are in the picture's pixels."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in self.digits:
            answer, is_corrected = each.found.answer, each.correction is not None
            second = next(digit for digit in answer.likeliest if digit != each.digit)
            # A network of fewer classes gives nothing to a digit that it does not know.
            confidence = f"{float(answer.probabilities[each.digit]) if each.digit < len(answer.probabilities) else 0:.4f}"
            flags = [str(flag).lower() for flag in (each.is_sure, is_corrected)]
            writer.writerow((each.line, each.place, each.digit, confidence, flags[0], second, *each.found.box, flags[1]))
        return out.getvalue()
