"""The curriculum of one run: complete rounds enter it, a person may give a category another chance, and it tells."""

from __future__ import annotations

from selfplay_core.curriculum.state import Asked
from selfplay_core.engine.choosing import Chooser
from selfplay_core.engine.control import Control
from selfplay_core.events import Announce, GateClosed, GateOpened, PromptsGrowAlike
from selfplay_core.store.codec import encode
from selfplay_core.store.curriculum import Kept, replace_state, rounds_behind
from selfplay_core.store.rounds import Chosen
from selfplay_core.store.thread import AsyncStore

__all__ = ["Curriculum"]


class Curriculum:
    """Keeps the chooser's state in step with the rounds of a run."""

    def __init__(self, run_id: str, chooser: Chooser, store: AsyncStore, control: Control, announce: Announce) -> None:
        self._run_id = run_id
        self._chooser = chooser
        self._store = store
        self._control = control
        self._announce = announce
        self._closed: tuple[str, ...] = ()

    async def fold_up_to(self, number: int) -> None:
        """Take in every round up to `number`, all of which are complete, and tell what changed by it."""
        self._reopen()
        if number > self._chooser.folded:
            rounds = await self._store.do(rounds_behind, self._run_id, after=self._chooser.folded, up_to=number)
            raised = self._chooser.fold(rounds)
            if raised is not None:
                self._announce(PromptsGrowAlike(number, str(raised)))
        self._tell_gates()

    async def settle(self) -> None:
        """Keep the reopening that came behind the last round: the run that follows begins with it."""
        if self._reopen():
            state = Kept(self._run_id, self._chooser.folded, self._chooser.encoded())
            await self._store.do(replace_state, state)
            self._tell_gates()

    def chosen(self, asked: Asked) -> Chosen:
        """Return what is kept of a round that has just been written."""
        return Chosen(encode(asked), self._chooser.folded, self._chooser.encoded())

    def _reopen(self) -> bool:
        asked = self._control.take_reopening()
        if asked:
            for one in self._chooser.closed():
                self._chooser.reopen(one.category)
        return asked

    def _tell_gates(self) -> None:
        now = {one.category: one for one in self._chooser.closed()}
        for category, one in now.items():
            if category not in self._closed:
                self._announce(GateClosed(category, one.won, one.tried, one.error))
        for category in self._closed:
            if category not in now:
                self._announce(GateOpened(category))
        self._closed = tuple(now)
