"""A round's prompts of one category, written by the model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from selfplay_core.categories import Texts
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.conversation import Speaker, writer_messages
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.seeds import request_seed
from selfplay_core.engine.slots import Urgency
from selfplay_core.errors import IllTyped
from selfplay_core.llm.base import ChatRequest, Message
from selfplay_core.llm.replies import DecodedPrompts, decode_prompts, prompts_schema
from selfplay_core.text import clip

__all__ = ["Written", "write_prompts"]

_TRIES: Final = 3
_REPLY_LIMIT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote: the usable prompts, and the others each with the reason why not."""

    prompts: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]


async def write_prompts(
    asker: Asker, texts: Texts, speaker: Speaker, plan: RunPlan, round_number: int, category: str
) -> Written:
    """Let the model write a round's prompts of one category.

    A reply without one usable prompt is told to the model twice; then IllTyped is raised. Raises the
    `ModelFault`, GaveUp and Drained of asking too.
    """
    messages = writer_messages(texts, speaker, category, plan.prompts_per_category)
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
        complaint = ""
        try:
            written = _usable(decode_prompts(reply.content), texts, category, plan.prompts_per_category)
        except IllTyped as error:
            complaint = str(error)
        else:
            if written.prompts:
                return written
            complaint = _complaint(written)
        messages = (*messages, Message("assistant", clip(reply.content, _REPLY_LIMIT)), Message("user", complaint))
    raise IllTyped(complaint)


def _complaint(written: Written) -> str:
    if not written.dropped:
        return "The list of prompts is empty. Write as many prompts as were asked for."
    listed = "; ".join(f"{clip(text, 60)!r} {reason}" for text, reason in written.dropped[:5])
    return f"None of these can be used: {listed}. Write all the prompts anew."


def _usable(decoded: DecodedPrompts, texts: Texts, category: str, count: int) -> Written:
    """Keep the prompts that a player could type here: with an allowed prefix, none twice, `count` at most."""
    prompts: dict[str, None] = {}
    dropped = [(item.text, item.reason) for item in decoded.dropped]
    for prompt in decoded.prompts:
        if not texts.categories[category].allows(prompt):
            allowed = " or ".join(texts.categories[category].prefixes)
            dropped.append((prompt, f"does not begin with {allowed}"))
        elif prompt in prompts:
            dropped.append((prompt, "stands twice"))
        elif len(prompts) == count:
            dropped.append((prompt, "is more than was asked for"))
        else:
            prompts[prompt] = None
    return Written(tuple(prompts), tuple(dropped))
