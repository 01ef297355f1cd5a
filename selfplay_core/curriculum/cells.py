"""What a prompt is asked to be: a construct of its category, a style and a difficulty, the least covered first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product, starmap
from random import Random

import msgspec

from selfplay_core.curriculum.coverage import Coverage, places

__all__ = ["Cell", "Cells", "Ground", "Wish", "choose", "rotating"]


class Ground(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to ask for in a category; `roots` are commands whose forms it is steered to."""

    roots: tuple[str, ...]
    constructs: tuple[str, ...]
    components: bool = False
    selectors: bool = False


@dataclass(frozen=True, slots=True)
class Cells:
    """All that can be asked for."""

    styles: tuple[str, ...]
    difficulties: tuple[str, ...]
    grounds: Mapping[str, Ground]


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to ask for, by the places in its lists."""

    construct: int
    style: int
    difficulty: int

    @property
    def key(self) -> str:
        """The cell as it is counted."""
        return f"{self.construct}.{self.style}.{self.difficulty}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one prompt is asked to be; `form` is a seldom used form of a command that it should need, or blank."""

    cell: Cell
    construct: str
    style: str
    difficulty: str
    form: str = ""

    def __str__(self) -> str:
        told = f"{self.construct}; {self.style}; {self.difficulty}"
        return f"{told}; its answer needs {self.form}" if self.form else told


def choose(
    cells: Cells, category: str, asked: Mapping[str, int], coverage: Coverage, count: int, chance: Random
) -> list[Wish]:
    """Return what the next prompts of a category are asked to be.

    Cells that were asked for least come first, and among them constructs, styles and difficulties that were; chance
    decides between equals. Every second prompt is steered to one of the thinnest spots of the category's commands.
    """
    ground = cells.grounds[category]
    counts = dict(asked)
    forms = _forms(ground, coverage, count, chance)
    wishes: list[Wish] = []
    for place in range(count):
        cell = _least(cells, ground, counts, chance)
        counts[cell.key] = counts.get(cell.key, 0) + 1
        form = forms[place // 2] if place % 2 == 0 and place // 2 < len(forms) else ""
        wishes.append(
            Wish(
                cell,
                ground.constructs[cell.construct],
                cells.styles[cell.style],
                cells.difficulties[cell.difficulty],
                form,
            )
        )
    return wishes


def _least(cells: Cells, ground: Ground, counts: Mapping[str, int], chance: Random) -> Cell:
    margins = _margins(counts)
    constructs, styles, difficulties = (
        [margins.get((name, place), 0) for place in range(len(places))]
        for name, places in (("c", ground.constructs), ("s", cells.styles), ("d", cells.difficulties))
    )
    return min(
        _cells(len(constructs), len(styles), len(difficulties)),
        key=lambda known: (
            counts.get(known[1], 0),
            constructs[known[0].construct],
            styles[known[0].style] + difficulties[known[0].difficulty],
            chance.random(),
        ),
    )[0]


@cache
def _cells(constructs: int, styles: int, difficulties: int) -> tuple[tuple[Cell, str], ...]:
    """Return every cell with its key, which is dear to make anew for each of a hundred and more at every prompt."""
    places = product(range(constructs), range(styles), range(difficulties))
    return tuple((cell, cell.key) for cell in starmap(Cell, places))


def _margins(counts: Mapping[str, int]) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for key, count in counts.items():
        for name, place in zip("csd", key.split("."), strict=False):
            at = (name, int(place))
            found[at] = found.get(at, 0) + count
    return found


def _forms(ground: Ground, coverage: Coverage, count: int, chance: Random) -> list[str]:
    """Return the thinnest spots of a category, as they are told: a command's form, a component, a selector option."""
    subs = [place for place in places("sub-command") if place.split()[0] in ground.roots]
    without = set(ground.roots) - {place.split()[0] for place in subs}
    found = [(f"sub-command {place}", f"/{place}") for place in subs]
    found += [(f"command {root}", f"/{root}") for root in ground.roots if root in without]
    if ground.components:
        found += [(f"component {name}", f"the item component {name}") for name in places("component")]
    if ground.selectors:
        found += [(f"selector {name}", f"the selector option {name}=") for name in places("selector")]
    chance.shuffle(found)
    told = dict(found)
    return [told[place] for place in coverage.thinnest(told, -(-count // 2))]


def rotating(examples: Sequence[str], count: int, chance: Random) -> list[str]:
    """Return a few examples, other ones each time."""
    return chance.sample(list(examples), min(count, len(examples)))
