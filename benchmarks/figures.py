"""What a benchmark tells: a figure, what it should be, and whether it is."""

from __future__ import annotations

import gc
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["COLLECTED_IN", "Bound", "Figure", "Times", "at_least", "at_most", "megabytes", "tell"]

COLLECTED_IN: Final = "SELFPLAY_BENCHMARK_FIGURES"
"""The environment variable that names the file to which figures go as well, one as JSON a line."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A target: the figure is to be at most, or at least, so much."""

    value: float
    is_least: bool

    def holds(self, value: float) -> bool:
        """Whether a figure is where it should be."""
        return value >= self.value if self.is_least else value <= self.value


def at_most(value: float) -> Bound:
    """Return the target of a figure that is the better the smaller it is."""
    return Bound(value, is_least=False)


def at_least(value: float) -> Bound:
    """Return the target of a figure that is the better the larger it is."""
    return Bound(value, is_least=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; `note` says what stands beside it. Without a target it is for the reader to judge."""

    name: str
    value: float
    unit: str
    target: Bound | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.target.holds(self.value)

    @property
    def shown(self) -> str:
        """The figure with its unit."""
        return f"{_number(self.value)} {self.unit}".rstrip()

    @property
    def wanted(self) -> str:
        """The target with its sign; blank without one."""
        return f"{'≥' if self.target.is_least else '≤'} {_number(self.target.value)}" if self.target else ""

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word; blank without one."""
        return {None: "", True: "met", False: "missed"}[self.met]


@dataclass(slots=True)
class Times:
    """Measured seconds, told in milliseconds."""

    seconds: list[float] = field(default_factory=list)

    def at(self, share: float) -> float:
        """Return the time that so many do not exceed."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def __str__(self) -> str:
        return f"p50 {self.at(0.5):.1f}  p95 {self.at(0.95):.1f}  p99 {self.at(0.99):.1f}  max {self.at(1):.1f} ms"


def tell(figure: Figure) -> None:
    """Print a figure as it comes, and leave it to whoever collects them."""
    beside = f"  ({figure.note})" if figure.note else ""
    # Textual keeps what is printed to sys.stdout while an app runs.
    print(
        f"  {figure.name:<52}{figure.shown:>18}  {figure.wanted:<10}{figure.verdict:<8}{beside}".rstrip(),
        file=sys.__stdout__,
        flush=True,
    )
    if collected := os.environ.get(COLLECTED_IN):
        with Path(collected).open("ab") as file:
            file.write(msgspec.json.encode(figure) + b"\n")


def megabytes() -> float:
    """Return how much memory the process holds now; where the system does not tell, the most it ever held."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return pages * resource.getpagesize() / (1 << 20)


def _number(value: float) -> str:
    if value and abs(value) < 10:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:,.0f}"
