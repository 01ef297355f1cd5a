"""Commands of a person, run or parsed on the server through the one door, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay_core.engine.answering import unsendable
from selfplay_core.errors import SelfplayError
from selfplay_core.models import Action, CommandResult, WorldIdentity
from selfplay_core.verify.verifier import FaultCount, Verifier

__all__ = ["Look", "Looked", "look"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked at; `within` is in seconds, `allowed_by_person` covers what the policy asks about."""

    commands: tuple[str, ...]
    probe: bool
    allowed_by_person: bool
    within: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What the server showed, or why nothing was sent, of which one is set.

    `denied` is why the policy says no, `asks` why it wants a person's permission. `error` says why the server
    could not be asked. `world` is who judged.
    """

    results: tuple[CommandResult, ...] = ()
    world: WorldIdentity | None = None
    denied: str = ""
    asks: str = ""
    error: str = ""


async def look(verifier: Verifier, wish: Look, *, only_probe: bool = False) -> Looked:
    """Review and send; never raises a `SelfplayError`, and never waits longer than `wish.within`."""
    if too_long := unsendable(wish.commands):
        return Looked(error=too_long)
    probe = wish.probe or only_probe
    refused = _refusal(verifier, wish.commands, lenient=probe or wish.allowed_by_person)
    if refused is not None:
        return refused
    try:
        async with asyncio.timeout(wish.within):
            results = await verifier.verify(
                wish.commands, faults=FaultCount(), probe=probe, allowed_by_person=wish.allowed_by_person
            )
    except SelfplayError as error:
        return Looked(error=str(error))
    except TimeoutError:
        return Looked(error=_silent(wish.within))
    return Looked(results, verifier.identity)


def _refusal(verifier: Verifier, commands: Sequence[str], *, lenient: bool) -> Looked | None:
    rulings = verifier.review(commands)
    for ruling in rulings:
        if ruling.action is Action.DENY:
            return Looked(denied=ruling.reason)
    for ruling in rulings:
        if ruling.action is Action.ASK and not lenient:
            return Looked(asks=ruling.reason)
    return None


def _silent(seconds: float) -> str:
    return (
        f"The server did not answer these commands within {seconds:.0f} s. "
        "What it ran of them is not known. Look whether it is busy or gone, then try again."
    )
