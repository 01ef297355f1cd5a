"""WorldEdit's selection within one answer: how large is what its commands change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from selfplay_core.verify.breadth import box_volume
from selfplay_core.verify.unwrap import Call, readings

__all__ = ["edited_volumes"]

_CORNERS: Final = {"pos1": 0, "1": 0, "pos2": 1, "2": 1}
# Selects or enlarges by what only the world knows.
_UNKNOWN_SIZE: Final = frozenset(("chunk", "expand", "outset", "pos", "hpos1", "hpos2"))
_EDITS: Final = frozenset(
    (
        *("set", "replace", "re", "rep", "overlay", "walls", "faces", "outline", "center", "middle", "naturalize"),
        *("move", "cut", "stack", "hollow", "lay", "forest", "flora", "smooth", "setbiome"),
    )
)


def edited_volumes(commands: Sequence[str]) -> Iterator[float]:
    """Yield for each command how many blocks of the region it may change that the answer itself has selected.

    0 for commands that edit no region, and where the answer selects none: what was selected before is not known
    here. Infinity where the answer enlarges its selection in a way that only the world can measure.
    """
    corners: list[list[str] | None] = [None, None]
    enlarged = False
    for command in commands:
        call = readings(command)[0].calls[0]
        if call.doubled and call.name in _CORNERS:
            corners[_CORNERS[call.name]] = _coordinates(call)
        enlarged = call.name != "desel" and (enlarged or (call.doubled and call.name in _UNKNOWN_SIZE))
        edits = call.doubled and call.name in _EDITS
        yield _volume(corners, enlarged=enlarged) if edits else 0.0


def _coordinates(call: Call) -> list[str]:
    return call.rest.replace(",", " ").split()


def _volume(corners: list[list[str] | None], *, enlarged: bool) -> float:
    if enlarged:
        return math.inf
    first, second = corners
    if first is None or second is None:
        return 0.0
    return box_volume([*first, *second]) or 0.0
