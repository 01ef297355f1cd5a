"""Pause, resume, hurry, drain and tune a run of whichever process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from selfplay_core.engine.control import Control
from selfplay_core.engine.relay import Kind, NoRun, nobody_answers, relay
from selfplay_core.engine.tuning import Tuning
from selfplay_core.errors import SettingsError, StoreError
from selfplay_core.store.thread import AsyncStore

__all__ = ["Steer", "Steered", "state_of_run", "steer", "steered"]

_NO_RUN: Final = "No run is going on in this workspace, so there is nothing to steer. Start one."


@dataclass(frozen=True, slots=True)
class Steer:
    """What a run is told; `tuning` goes with `tune` alone, and `look` changes nothing."""

    what: Literal["pause", "resume", "hurry", "drain", "tune", "look", "reopen"]
    tuning: Tuning | None = None

    def apply(self, control: Control) -> None:
        """Do it to a run of this process; raises SettingsError for a tuning that is not allowed."""
        match self.what:
            case "pause":
                control.pause()
            case "resume":
                control.resume()
            case "hurry":
                control.hurry()
            case "drain":
                control.drain()
            case "tune":
                if self.tuning is None:
                    raise SettingsError("A tuning was asked for without values. Give focus, concurrency and retries.")
                control.tune(self.tuning)
            case "reopen":
                control.reopen()
            case "look":
                return


@dataclass(frozen=True, slots=True)
class Steered:
    """How the run stands after it was told something; `error` says why it could not be."""

    paused: bool = False
    draining: bool = False
    tuning: Tuning | None = None
    error: str = ""


def steered(control: Control, wish: Steer) -> Steered:
    """Apply what another process says, and tell how the run stands."""
    error = ""
    try:
        wish.apply(control)
    except SettingsError as refused:
        error = str(refused)
    return Steered(control.paused, control.draining, control.tuning, error)


async def steer(store: AsyncStore, wish: Steer, patience: float) -> str:
    """Tell the run of this workspace something; returns why it could not be told, blank if it was."""
    return (await _told(store, wish, patience)).error


async def state_of_run(store: AsyncStore, patience: float) -> Steered:
    """Ask the run of this workspace how it stands."""
    return await _told(store, Steer("look"), patience)


async def _told(store: AsyncStore, wish: Steer, patience: float) -> Steered:
    try:
        return await relay(store, Kind.STEER, wish, Steered, patience=patience)
    except NoRun:
        return Steered(error=_NO_RUN)
    except TimeoutError:
        return Steered(error=nobody_answers(patience))
    except StoreError as error:
        return Steered(error=str(error))
