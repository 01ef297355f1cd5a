"""Is the server still what it was: the canaries and who is online, before a run and while it goes on."""

from __future__ import annotations

from typing import Final

from selfplay_core.engine.control import Control, Drained
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.plan import RunPlan
from selfplay_core.errors import ConnectionLost, ForeignPlayers, GaveUp, ProtocolViolation
from selfplay_core.events import Announce
from selfplay_core.models import WorldIdentity
from selfplay_core.settings import VerifySettings
from selfplay_core.text import clip, one_line
from selfplay_core.verify.canary import foreign_players
from selfplay_core.verify.verifier import Verifier

__all__ = ["Watch", "inspect_at_start", "make_watch"]

_LOOK_AGAIN: Final = 30.0
_FAULTS_BORNE: Final = 3
_WATCH: Final = "watch"
_UNREADABLE: Final = "(the server's list cannot be read)"


async def inspect_at_start(verifier: Verifier, players: tuple[str, ...], *, allow_players: bool) -> WorldIdentity:
    """Return what the server says of itself; raises CanaryFailed, ForeignPlayers or a `ServerFault`."""
    identity = await verifier.inspect()
    strangers = () if allow_players else _strangers(identity, players)
    if strangers:
        raise ForeignPlayers(
            f"Players are online who are not in the settings: {_names(strangers)}. The model's commands could hit "
            "them. Use a server of your own, add them to [world] players, or give --allow-players."
        )
    return identity


class Watch:
    """Looks again every few minutes; a failed canary ends the run, a stranger pauses it until he has left.

    `every` and `give_up` are in seconds.
    """

    def __init__(
        self,
        verifier: Verifier,
        outage: Outage,
        *,
        players: tuple[str, ...],
        allow_players: bool,
        every: float,
        give_up: float,
        control: Control,
    ) -> None:
        self._verifier = verifier
        self._outage = outage
        self._players = players
        self._allow_players = allow_players
        self._every = every
        self._give_up = give_up
        self._control = control

    async def keep_watch(self) -> None:
        """Watch until the run drains; raises CanaryFailed, or GaveUp if a stranger stays."""
        try:
            while True:
                await self._control.wait(self._every)
                strangers = await self._look()
                if strangers:
                    await self._wait_until_they_leave(strangers)
        except Drained:
            return

    async def _look(self) -> tuple[str, ...]:
        faults = 0
        while True:
            try:
                identity = await self._outage.through(self._verifier.inspect)
            except (ConnectionLost, ProtocolViolation) as fault:
                # A fault is not a verdict; the next look is on a new connection. Too many are an absence.
                faults += 1
                if faults < _FAULTS_BORNE:
                    await self._control.wait(min(_LOOK_AGAIN, self._every))
                else:
                    await self._outage.wait(fault)
            else:
                return () if self._allow_players else _strangers(identity, self._players)

    async def _wait_until_they_leave(self, strangers: tuple[str, ...]) -> None:
        self._control.pause(_WATCH, f"players are online who are not in the settings: {_names(strangers)}")
        waited = 0.0
        while strangers:
            if waited >= self._give_up:
                raise GaveUp(
                    f"Players who are not in the settings stayed online: {_names(strangers)}. "
                    "Start again when they have left, or with --allow-players."
                )
            pause = min(_LOOK_AGAIN, self._every)
            await self._control.wait(pause)
            waited += pause
            strangers = await self._look()
        self._control.resume(_WATCH)


def make_watch(
    verifier: Verifier, plan: RunPlan, settings: VerifySettings, *, control: Control, announce: Announce
) -> Watch:
    """Return the watch over a run's server."""
    return Watch(
        verifier,
        # Its own, for verdicts that come all the while say nothing about who is online.
        Outage("The server's list of players", give_up=plan.give_up, control=control, announce=announce),
        players=plan.players,
        allow_players=settings.allow_players,
        every=60 * settings.canary_minutes,
        give_up=plan.give_up,
        control=control,
    )


def _strangers(identity: WorldIdentity, ours: tuple[str, ...]) -> tuple[str, ...]:
    """Return who is online and not ours; a list that cannot be read may hold anybody."""
    return (_UNREADABLE,) if identity.players is None else foreign_players(identity.players, ours)


def _names(players: tuple[str, ...]) -> str:
    return clip(one_line(", ".join(players)), 200)
