"""What a network has learned of the user's handwriting, in figures and in words. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

MOST_LOST = 0.003
"""The share of the other images that a network may read wrongly afterwards without the user being asked."""


@dataclass(frozen=True)
class Figure:
    """The share of some images that is read correctly."""

    before: float
    after: float

    def words(self, decimals: int) -> str:
        """`78 → 100 %`; zeros behind the point are left out where there is to be one decimal."""
        shares = [f"{share * 100:.{decimals}f}" for share in (self.before, self.after)]
        before, after = (share.removesuffix(".0") if decimals == 1 else share for share in shares)
        return f"{before} → {after} %"


@dataclass(frozen=True)
class Taught:
    """How a network did before and after it was taught."""

    own: Figure
    """On the user's digits, all of which it has learned from."""
    others: Figure
    """On images that it has learned nothing from, and should not forget."""
    others_title: str
    count: int
    """How many digits of the user's own."""
    held_out: Figure | None = None
    """On digits of the user's own that were left out in turn, each asked of a network that has learned the rest alone."""
    held_out_count: int = 0

    @property
    def is_worse(self) -> bool:
        """Whether the network has forgotten more than it may without a question."""
        return self.others.before - self.others.after > MOST_LOST + 1e-9

    def own_words(self) -> str:
        """`yours 78 → 100 %`"""
        return f"yours {self.own.words(1)}"

    def others_words(self) -> str:
        """`MNIST 99.71 → 99.66 %`"""
        return f"{self.others_title} {self.others.words(2)}"

    def held_out_words(self, which: str = "held out in turn") -> str:
        """`held out in turn 60 → 95 %`, with how many of the digits where it is not all; empty where it is not known."""
        if self.held_out is None:
            return ""
        part = "" if self.held_out_count == self.count else f" ({self.held_out_count:,} of {self.count:,})"
        return f"{which}{part} {self.held_out.words(1)}"

    def fall(self) -> str:
        """What to say where `is_worse`: `MNIST: down from 99.71 to 99.20 %`"""
        before, after = (f"{share * 100:.2f}" for share in (self.others.before, self.others.after))
        return f"{self.others_title}: down from {before} to {after} %"
