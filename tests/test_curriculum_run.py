"""Laws of the curriculum at work: runs against somebody else's servers, on real sockets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from selfplay_core.engine.control import Control
from selfplay_core.events import (
    Event,
    GateClosed,
    GateOpened,
    PromptsFailed,
    PromptsGrowAlike,
    PromptsWritten,
    TraceEnded,
)
from tests.servers.ollama import FakeOllama, Reply, say
from tests.servers.rcon import StrictRconServer
from tests.worlds import PASSWORD, Playground, Ran, going, play, server_says


def request_of(body: dict[str, Any]) -> str | None:
    """The text of a request for prompts, None for another request."""
    return body["messages"][1]["content"] if "prompts" in body["format"]["properties"] else None


class Writer:
    """Writes prompts that have nothing in common, and answers them with what the server takes, but for one category."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[str] = []
        self.mixing: Iterator[int] = count()
        self.copies = False

    def __call__(self, body: dict[str, Any]) -> Reply:
        request = request_of(body)
        if request is None:
            prompt = str(body["messages"][1]["content"])
            self.asked.append(prompt)
            answers = {"commands": ["nonsense"] if f"<{self.broken}>" in prompt else ["time set 1000"]}
            return say(orjson.dumps({**answers, "reasoning": "r", "message": "m"}).decode())
        category = re.search(r"^Category: (\w+)$", request, re.MULTILINE)
        wanted = re.search(r"^Count: (\d+)$", request, re.MULTILINE)
        assert category
        assert wanted
        return say(orjson.dumps({"prompts": list(self.write(category[1], int(wanted[1])))}).decode())

    def write(self, category: str, wanted: int) -> Iterator[str]:
        """Words of digits, so that no two prompts are alike; or the same over and over but for the last word."""
        for number in range(wanted):
            place = next(self.mixing)
            words = " ".join(f"{(place * 7919 + number * 104_729 + step * 1_299_709) ** 3:x}" for step in range(4))
            yield (
                f"sudo <{category}> put a row of lanterns along the old road {number}"
                if self.copies
                else (f"sudo <{category}> {words}")
            )


@asynccontextmanager
async def ground_of(folder: Path, writer: Writer) -> AsyncIterator[Playground]:
    """Both servers, the model being this writer."""
    with FakeOllama(writer) as model:
        async with StrictRconServer(server_says, password=PASSWORD) as server:
            yield Playground(model, server, folder)


def of(ran: Ran, kind: type[Event]) -> list[Any]:
    """The events of one kind."""
    return [event for event in ran.events if isinstance(event, kind)]


async def test_what_is_nearly_known_costs_no_answer(tmp_path: Path) -> None:
    """Of prompts that differ by a digit one is answered; the others are counted, with the prompt that they repeat."""
    writer = Writer()
    writer.copies = True
    async with ground_of(tmp_path, writer) as ground:
        ran = await play(ground.job(run__rounds=1, run__focus="entity_nbt"))
        again = await play(ground.job(run__rounds=1, run__focus="entity_nbt", new=True))
    assert len(writer.asked) == 1
    (written,) = of(ran, PromptsWritten)
    assert (len(written.prompts), written.copies) == (1, 4)
    assert all("nearly a copy" in reason for _, reason in written.dropped)
    assert of(again, PromptsFailed), "what another run has asked is known, too"
    assert not of(again, TraceEnded)


async def test_a_request_names_wishes_and_what_not_to_repeat(tmp_path: Path) -> None:
    """A wish for each prompt, no wish twice, and the prompts that came before."""
    async with ground_of(tmp_path, Writer()) as ground:
        ran = await play(ground.job(run__rounds=2, run__focus="entity_nbt"))
        requests = [text for body in ground.model.chats if (text := request_of(body)) is not None]
    first, second = requests
    wishes = re.findall(r"^\d+\. (.+)$", first, re.MULTILINE)
    assert len(set(wishes)) == len(wishes) == 5
    before = [event.trace.prompt.text for event in of(ran, TraceEnded) if event.trace.prompt.round == 0]
    assert len(before) == 5
    assert not any(prompt in first for prompt in before)
    assert all(prompt[:40] in second for prompt in before)


async def test_what_cannot_be_won_is_told_and_gets_little(tmp_path: Path) -> None:
    """The gate outlives the run that closed it; its category keeps a small share, and its error is named."""
    writer = Writer(broken="worldedit")
    async with ground_of(tmp_path, writer) as ground:
        await play(ground.job(run__rounds=8, run__focus="worldedit", run__max_retries=0))
        writer.asked.clear()
        ran = await play(ground.job(run__rounds=10, run__max_retries=0, new=True))
    told = of(ran, GateClosed)[0]
    assert (told.category, told.won, told.tried) == ("worldedit", 0, 40)
    assert "nonsense" in told.error or "Unknown" in told.error
    shares = Counter(event.trace.prompt.category for event in of(ran, TraceEnded))
    assert 0 <= shares["worldedit"] <= 2 / 9 * sum(shares.values())


async def test_a_person_opens_the_gates(tmp_path: Path) -> None:
    """From the next round on; and it is told."""
    writer = Writer(broken="worldedit")
    control = Control()
    async with ground_of(tmp_path, writer) as ground:
        job = ground.job(run__rounds=12, run__focus="worldedit", run__max_retries=0)
        async with going(job, control) as run:
            await run.until(lambda events: any(isinstance(event, GateClosed) for event in events))
            control.reopen()
            await run.until(lambda events: any(isinstance(event, GateOpened) for event in events))


async def test_rounds_of_nothing_but_copies_are_counted(tmp_path: Path) -> None:
    """By them a collapse is known: nothing of what the model wrote is lost with the failure."""
    writer = Writer()
    async with ground_of(tmp_path, writer) as ground:
        control = Control()
        async with going(ground.job(run__rounds=14, run__focus="entity_nbt"), control) as run:
            await run.until(lambda events: sum(isinstance(event, TraceEnded) for event in events) >= 40)
            writer.copies = True
            ran = await run.ended()
    failed = of(ran, PromptsFailed)
    assert failed
    assert all((event.dropped, event.copies) == (15, 15) for event in failed)
    assert of(ran, PromptsGrowAlike)


async def test_a_reopening_behind_the_last_round_is_kept(tmp_path: Path) -> None:
    """The next run begins with it."""
    writer = Writer(broken="worldedit")
    control = Control()
    async with ground_of(tmp_path, writer) as ground:
        await play(ground.job(run__rounds=8, run__focus="worldedit", run__max_retries=0))
        async with going(ground.job(given=["sudo torch"], new=True), control) as run:
            await run.until(lambda events: any(isinstance(event, GateClosed) for event in events))
            control.reopen()
            ran = await run.ended()
        after = await play(ground.job(run__rounds=1, run__max_retries=0, new=True))
    assert of(ran, GateOpened)
    assert not of(after, GateClosed)


async def test_given_prompts_say_nothing_of_a_category(tmp_path: Path) -> None:
    """Nobody said that they belong to one."""
    writer = Writer(broken="none")
    async with ground_of(tmp_path, writer) as ground:
        given = [f"sudo <none> {number} {number * 7919:x} {number**5:x}" for number in range(40)]
        await play(ground.job(given=given, run__max_retries=0))
        ran = await play(ground.job(run__rounds=1, run__max_retries=0, new=True))
    assert not of(ran, GateClosed)


async def test_what_an_earlier_run_is_owed_counts_once_it_has_come(tmp_path: Path) -> None:
    """Its prompts are answered by the next run; what came of them is known to the one after that."""
    writer = Writer(broken="worldedit")
    control = Control()
    async with ground_of(tmp_path, writer) as ground:
        first = ground.job(run__rounds=20, run__focus="worldedit", run__max_retries=0, run__prompts_per_category=40)
        async with going(first, control) as run:
            await run.until(lambda events: any(isinstance(event, TraceEnded) for event in events))
            control.drain()
            await run.ended()
        await play(ground.job(run__rounds=1, run__max_retries=0))
        ran = await play(ground.job(run__rounds=1, run__max_retries=0, new=True))
    told = of(ran, GateClosed)[0]
    assert (told.category, told.won) == ("worldedit", 0)
    assert told.tried == sum("<worldedit>" in prompt for prompt in writer.asked)


async def test_another_model_begins_nearly_anew(tmp_path: Path) -> None:
    """What one model could not do closes no gate to another."""
    writer = Writer(broken="worldedit")
    async with ground_of(tmp_path, writer) as ground:
        await play(ground.job(run__rounds=8, run__focus="worldedit", run__max_retries=0))
        same = await play(ground.job(run__rounds=1, run__max_retries=0, new=True))
        other = await play(ground.job(run__rounds=1, run__max_retries=0, new=True, llm__model="other"))
    assert of(same, GateClosed)
    assert not of(other, GateClosed)
