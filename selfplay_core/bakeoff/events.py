"""What a bake-off announces."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.bakeoff.marks import Mark
from selfplay_core.events import Event
from selfplay_core.models import ModelIdentity, WorldIdentity

__all__ = ["BakeoffEnded", "BakeoffStarted", "CaseMarked"]


@dataclass(frozen=True, slots=True)
class BakeoffStarted(Event):
    """A bake-off begins, or goes on: `done` of `expected` answers are there already.

    `expecting` counts the cases with an expectation, among all.
    """

    folder: str
    models: tuple[ModelIdentity, ...]
    world: WorldIdentity
    cases: int
    expecting: int
    wanted: int
    seed: int
    done: int
    expected: int


@dataclass(frozen=True, slots=True)
class CaseMarked(Event):
    """A model's answer to a case is judged and kept; `why` is blank where the mark says all."""

    model: str
    place: int
    category: str
    prompt: str
    mark: Mark
    why: str
    detail: str
    attempts: int
    commands: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class BakeoffEnded(Event):
    """It is over; `status` is `done`, `interrupted` or `gave_up`."""

    status: str
    reason: str
