"""A model server that turns requests away in mid-run: whether it is the server's doing, or the request's."""

from __future__ import annotations

import asyncio

import pytest

from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.slots import Urgency
from selfplay_core.errors import GaveUp, ModelDenied, ModelFault, ModelRefusedRequest
from selfplay_core.events import Away, Back, Event
from selfplay_core.llm.base import ChatReply, ChatRequest, Message
from tests.fakes import Said, ScriptedChat, reply

DENIED = ModelDenied("denies access (HTTP 401)")
WRONG = ModelRefusedRequest("refuses the request (HTTP 400)")


class Hasty(Control):
    """Waits no longer than it must to let others go on."""

    async def wait_for_try(self, seconds: float) -> bool:
        await asyncio.sleep(0)
        return True


def request(text: str) -> ChatRequest:
    return ChatRequest((Message("user", text),), {}, temperature=0.3, seed=0, max_tokens=64)


def asker_of(chat: ScriptedChat, events: list[Event], *, give_up: float = 60.0) -> Asker:
    control = Hasty()
    outage = Outage("The model", give_up=give_up, control=control, announce=events.append)
    return Asker(chat, slots=4, outage=outage, control=control)


async def ask(asker: Asker, text: str, *, patient: bool = True) -> ChatReply:
    return await asker.ask(request(text), lambda n: n, Urgency.ANSWERS, patient=patient)


@pytest.mark.parametrize("fault", [DENIED, WRONG])
async def test_who_never_answered_is_not_waited_for(fault: ModelFault) -> None:
    """A wrong key or address at the start is for a person to mend, before anything is done."""
    chat = ScriptedChat([fault, reply("never asked for")])
    with pytest.raises(type(fault)):
        await ask(asker_of(chat, []), "first")
    assert len(chat.requests) == 1


async def test_a_key_that_is_refused_in_mid_run_is_waited_for() -> None:
    """One minute of HTTP 401 must not end every prompt of a night as errored."""
    events: list[Event] = []
    asker = asker_of(ScriptedChat([reply("one"), *[DENIED] * 5, reply("two")]), events)
    await ask(asker, "first")
    assert (await ask(asker, "second")).content == "two"
    assert sum(isinstance(event, Away) for event in events) == 5
    assert isinstance(events[-1], Back)


async def test_a_key_that_stays_refused_is_given_up() -> None:
    """The run ends, and says by what."""
    asker = asker_of(ScriptedChat([reply("one"), *[DENIED] * 3]), [], give_up=0.0)
    await ask(asker, "first")
    with pytest.raises(GaveUp, match="HTTP 401"):
        await ask(asker, "second")


async def test_who_is_turned_away_alone_is_not_waited_for() -> None:
    """A server that answers all others has something against this request: it must not be asked for ever."""

    def says(request: ChatRequest) -> Said:
        return DENIED if request.messages[0].content == "bad" else reply("fine")

    asker = asker_of(ScriptedChat(says), [])
    await ask(asker, "good")

    async def others() -> None:
        while True:
            await ask(asker, "good")
            await asyncio.sleep(0)

    going = asyncio.create_task(others())
    async with asyncio.timeout(5):
        with pytest.raises(ModelDenied):
            await ask(asker, "bad")
    going.cancel()


@pytest.mark.parametrize("fault", [DENIED, WRONG])
async def test_a_person_is_told_at_once(fault: ModelFault) -> None:
    """Whoever asks at a screen is not kept waiting."""
    asker = asker_of(ScriptedChat([reply("one"), fault]), [])
    await ask(asker, "first")
    with pytest.raises(type(fault)):
        await ask(asker, "second", patient=False)


async def test_a_wrong_request_is_never_repeated() -> None:
    """It would be as wrong again."""
    chat = ScriptedChat([reply("one"), WRONG])
    asker = asker_of(chat, [])
    await ask(asker, "first")
    with pytest.raises(ModelRefusedRequest):
        await ask(asker, "second")
    assert len(chat.requests) == 2
