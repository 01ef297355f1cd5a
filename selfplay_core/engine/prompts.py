"""A round's prompts of one category, written by the model: one for each wish, and none that is nearly known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from selfplay_core.categories import Texts
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.choosing import Choice
from selfplay_core.engine.conversation import Speaker, writer_messages
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.seeds import request_seed
from selfplay_core.engine.slots import Urgency
from selfplay_core.errors import IllTyped
from selfplay_core.likeness.pool import Like, PromptPool
from selfplay_core.llm.base import ChatRequest, Message
from selfplay_core.llm.replies import DecodedPrompts, decode_prompts, prompts_schema
from selfplay_core.text import clip

__all__ = ["OF_BAKEOFF", "Written", "write_prompts"]

_TRIES: Final = 3
_REPLY_LIMIT: Final = 4_000

IsKnown = Callable[[str], Like | None]
"""Which known prompt one is nearly a copy of."""

OF_BAKEOFF: Final = "is nearly a case of a bake-off"
"""Why a prompt is dropped that no training row may hold."""


@dataclass(slots=True)
class Written:
    """What the model wrote: the usable prompts each with its cell, and the others each with the reason why not.

    `count` is how many prompts it wrote of those that it was asked for, `copies` how many of these were nearly known;
    `complaint` is what was last wrong where nothing was usable.
    """

    prompts: dict[str, str] = field(default_factory=dict)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    copies: int = 0
    complaint: str = ""


async def write_prompts(
    asker: Asker,
    texts: Texts,
    speaker: Speaker,
    plan: RunPlan,
    round_number: int,
    choice: Choice,
    is_known: IsKnown,
    is_banned: Callable[[str], bool],
) -> Written:
    """Let the model write a round's prompts of one category.

    A reply without one usable prompt is told to the model twice; then nothing is usable. Raises the `ModelFault`,
    GaveUp and Drained of asking.
    """
    category = choice.category
    messages = writer_messages(texts, speaker, choice)
    written = Written()
    for attempt in range(1, _TRIES + 1):
        request = ChatRequest(
            messages=messages,
            schema=prompts_schema(),
            temperature=texts.categories[category].temperature,
            seed=0,
            max_tokens=plan.max_tokens,
        )
        seed_of = partial(request_seed, plan.seed, round_number, category, attempt)
        reply = await asker.ask(request, seed_of, Urgency.PROMPTS)
        dropped_before = len(written.dropped)
        try:
            _take(written, decode_prompts(reply.content), texts, choice, is_known, is_banned)
        except IllTyped as error:
            written.complaint = str(error)
        else:
            if written.prompts:
                return replace(written, complaint="")
            written.complaint = _complaint(written.dropped[dropped_before:])
        told = (Message("assistant", clip(reply.content, _REPLY_LIMIT)), Message("user", written.complaint))
        messages = (*messages, *told)
    return written


def _complaint(dropped: list[tuple[str, str]]) -> str:
    if not dropped:
        return "The list of prompts is empty. Write as many prompts as were asked for."
    listed = "; ".join(f"{clip(text, 60)!r} {reason}" for text, reason in dropped[:5])
    return f"None of these can be used: {listed}. Write all the prompts anew."


def _take(
    written: Written,
    decoded: DecodedPrompts,
    texts: Texts,
    choice: Choice,
    is_known: IsKnown,
    is_banned: Callable[[str], bool],
) -> None:
    """Keep the prompts that a player could type here and that are not known; the n-th prompt answers the n-th wish."""
    category, wishes = choice.category, choice.wishes
    fresh = PromptPool()
    written.dropped += [(item.text, item.reason) for item in decoded.dropped]
    written.count += min(len(decoded.prompts) + len(decoded.dropped), len(wishes))
    for place, prompt in enumerate(decoded.prompts):
        if not texts.categories[category].allows(prompt):
            allowed = " or ".join(texts.categories[category].prefixes)
            written.dropped.append((prompt, f"does not begin with {allowed}"))
        elif place >= len(wishes):
            written.dropped.append((prompt, "is more than was asked for"))
        elif prompt in written.prompts:
            written.dropped.append((prompt, "stands twice"))
            written.copies += 1
        elif is_banned(prompt):
            written.dropped.append((prompt, OF_BAKEOFF))
        elif (like := is_known(prompt) or fresh.closest(category, prompt)) is not None:
            written.dropped.append((prompt, f"is nearly a copy of an earlier one ({like.ratio:.2f})"))
            written.copies += 1
        else:
            written.prompts[prompt] = wishes[place].cell.key
            fresh.add(category, place, prompt)
