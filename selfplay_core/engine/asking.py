"""One request to the model, with the patience that each fault deserves and no slot held while waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from selfplay_core.engine.control import Control
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.slots import Slots, Urgency
from selfplay_core.errors import (
    ModelBusy,
    ModelDenied,
    ModelNotFound,
    ModelRefusedRequest,
    ModelServerError,
    ModelStalled,
    ModelUnreachable,
    NoAnswer,
    Truncated,
)
from selfplay_core.llm.base import ChatModel, ChatReply, ChatRequest

__all__ = ["Asker", "SeedOfAsk"]

SeedOfAsk = Callable[[int], int]
"""The seed of the n-th asking of the same request, from 0."""

_ASKED_AGAIN: Final = 2
_SERVER_ERRORS_ALLOWED: Final = 2
_DENIALS_ALLOWED: Final = 2
_PAUSE_AFTER_ERROR: Final = 1.0
_LONGEST_REPLY: Final = 16_384


@dataclass(slots=True)
class _Patience:
    """What one request has met so far."""

    no_answers: int = 0
    server_errors: int = 0
    denials: int = 0
    answers_seen: int = -1


class Asker:
    """Sends requests through a bounded number of slots; `slots` is what the model server serves at once."""

    def __init__(self, chat: ChatModel, *, slots: int, outage: Outage, control: Control) -> None:
        self._chat = chat
        self._slots = Slots(slots)
        self._outage = outage
        self._control = control
        self._answers = 0

    def resize(self, slots: int) -> None:
        """Let that many requests be under way at once from here on; those that are go on."""
        self._slots.resize(slots)

    async def ask(
        self, request: ChatRequest, seed_of: SeedOfAsk, urgency: Urgency, *, patient: bool = True
    ) -> ChatReply:
        """Return a reply; the request's seed is replaced by `seed_of` the asking's number.

        Busy and unreachable servers are waited for (GaveUp, Drained), or raised unless `patient`; so are those
        that have answered before, and now know no such model or turn everybody away. A blank, truncated or
        unfinished reply is asked again twice, a broken one likewise; then the `ModelFault` is raised.
        ModelRefusedRequest is raised at once.
        """
        patience = _Patience()
        while True:
            try:
                return await self._once(replace(request, seed=seed_of(_asking(patience))), urgency)
            except ModelNotFound as fault:
                # A model that has answered before may be reloading or replaced: worth waiting for.
                if not (patient and self.ever_answered):
                    raise
                await self._outage.wait(fault)
            except ModelDenied as fault:
                if not (patient and self.ever_answered) or self._is_denied_alone(patience):
                    raise
                await self._outage.wait(fault)
            except (ModelUnreachable, ModelBusy) as fault:
                if not patient:
                    raise
                await self._outage.wait(fault)
            except ModelRefusedRequest:
                raise
            except NoAnswer as fault:
                self._answered()
                patience.no_answers += 1
                if patience.no_answers > _ASKED_AGAIN:
                    raise
                if isinstance(fault, Truncated):
                    more = max(request.max_tokens, min(request.max_tokens * 2, _LONGEST_REPLY))
                    request = replace(request, max_tokens=more)
            except (ModelServerError, ModelStalled):
                patience.server_errors += 1
                if patience.server_errors > _SERVER_ERRORS_ALLOWED:
                    raise
                await self._control.wait(_PAUSE_AFTER_ERROR)

    @property
    def ever_answered(self) -> bool:
        """Whether the model has said anything in this run."""
        return self._answers > 0

    async def _once(self, request: ChatRequest, urgency: Urgency) -> ChatReply:
        async with self._slots.slot(urgency):
            reply = await self._chat.chat(request)
        self._answered()
        return reply

    def _is_denied_alone(self, patience: _Patience) -> bool:
        """Count a denial; True once it is this request that is turned away, again and again while others are not."""
        patience.denials += self._answers != patience.answers_seen
        patience.answers_seen = self._answers
        return patience.denials > _DENIALS_ALLOWED

    def _answered(self) -> None:
        self._answers += 1
        self._outage.over()


def _asking(patience: _Patience) -> int:
    # A server error may be an accident of the wire, so the same words are tried once more before other ones:
    # then an accident changes no row.
    return patience.no_answers + max(patience.server_errors - 1, 0)
