"""Rows of the original script, and of the output file, made into traces again.

The original put commands unescaped into the JSON of its tool calls: what stands between the fixed beginning and the
fixed end is the command, whatever it holds. Its replies are judged anew, for its own test let failures pass; they show
no level, since nobody here has seen the server. Rows of ours, whose id is the hash of their content, keep what they
claim; those that were changed since are read by the same rules, and claim as little as the original's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import orjson

from selfplay_core.dataset.cases import canonical, content_id
from selfplay_core.dataset.conversation import NOTHING_RAN, answer_text
from selfplay_core.dataset.seed import CORRECTION_ID, SELF_CORRECTED, STANDARD_ID
from selfplay_core.judging import Finding, find, good_outcome
from selfplay_core.models import (
    CATEGORY_NAMES,
    IMPORTED,
    SANDBOX_MODELS,
    Answer,
    Attempt,
    CommandResult,
    Level,
    Mode,
    ModelIdentity,
    Outcome,
    Prompt,
    Trace,
    TraceId,
    Verdict,
    VerdictOutcome,
    WorldIdentity,
    WorldKind,
)
from selfplay_core.text import clip, one_line
from selfplay_core.verify.verdict import judge

__all__ = ["IMPORTED", "NotARow", "id_of_row", "read_row"]

_A_PERSON: Final = "a person (edited)"
"""Who answered in a row that says of itself only that a person changed it."""

_SOURCE: Final = "self_play"
_TRAINERS: Final = frozenset(
    ("messages", "prompt", "completion", "conversations", "chosen", "rejected", "preferred_output", "instruction")
)
_BEFORE: Final = '{"name": "rcon.execute", "arguments": {"command": "'
_AFTER: Final = '"}}'
_CALL: Final = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_APART: Final = "its calls, results and final commands do not belong together"
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"


class NotARow(ValueError):
    """Raised by a line that is no row of the original's kind; says why."""


class _Context(msgspec.Struct):
    version: str = ""


class _Input(msgspec.Struct):
    user_message: str
    server_context: _Context = msgspec.field(default_factory=_Context)


class _Output(msgspec.Struct):
    commands: list[str]
    reasoning: Any = ""
    message: Any = None


class _Message(msgspec.Struct):
    role: str
    content: str


class _Model(msgspec.Struct):
    name: str = IMPORTED
    digest: str = ""
    server: str = IMPORTED


class _Server(msgspec.Struct):
    brand: str = ""
    version: str = ""


class _Shown(msgspec.Struct):
    command: str
    verdict: VerdictOutcome
    level: Level
    reply: str


class _Metadata(msgspec.Struct):
    """What rows of ours add to the original's; of the original's own keys nothing is believed."""

    generation_category: str = IMPORTED
    mode: Mode | None = None
    outcome: Outcome | None = None
    level: Level = Level.NONE
    verifier: str | None = None
    rendered_from: str | None = None
    edited: bool = False
    results: list[_Shown] = msgspec.field(default_factory=list)
    model: _Model = msgspec.field(default_factory=_Model)
    server: _Server = msgspec.field(default_factory=_Server)
    system_prompt: str = ""
    context: str = ""
    parameters: dict[str, int | float] = msgspec.field(default_factory=dict)

    @property
    def is_our_writers(self) -> bool:
        """Whether this program wrote the row, whatever was changed in it since: the original knew neither key."""
        return self.verifier is not None or self.rendered_from is not None

    @property
    def kind(self) -> WorldKind:
        """What the row says it was judged by; that it is the sandbox's is believed to anyone: it only claims less."""
        names = (self.server.brand, self.model.name)
        called = {name.strip().lower() for name in names}
        is_sandbox = self.verifier == WorldKind.SANDBOX or not called.isdisjoint(SANDBOX_MODELS)
        return WorldKind.SANDBOX if is_sandbox else WorldKind.REAL

    @property
    def answered_by(self) -> ModelIdentity:
        """Who answered; no model where a person changed the prompt or the answer, as it is not told which."""
        if self.edited:
            return ModelIdentity(IMPORTED, _A_PERSON)
        return ModelIdentity(self.model.server, self.model.name, self.model.digest)


class _Row(msgspec.Struct):
    id: str
    source: str
    input: _Input | None = None
    output: _Output | None = None
    messages: list[_Message] | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the messages of a correction say: earlier attempts, and the last one."""

    attempts: tuple[Attempt, ...]
    last: Attempt


def read_row(line: bytes, slot: int) -> tuple[Trace, str]:
    """Return the trace that a row tells of, and the row's id if the row is one of ours as it was written, else "".

    Its round is 0. Raises NotARow.
    """
    try:
        body = orjson.loads(line)
        if isinstance(body, dict) and "source" not in body and not _TRAINERS.isdisjoint(body):
            raise NotARow("it is a line for a trainer: of all formats only `seed` and `native` can be read back")
        row = msgspec.convert(body, _Row)
        is_ours = row.id == _id_of(body)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError) as error:
        raise NotARow(f"it is no JSON that can be read: {error}") from error
    except msgspec.ValidationError as error:
        raise NotARow(f"it is no row of the original script's or of an output file: {error}") from error
    if row.source != _SOURCE:
        raise NotARow(f"its source is {clip(one_line(row.source), 40)!r}, not {_SOURCE!r}")
    trace = _trace(row, body, slot, is_ours=is_ours)
    return trace, row.id if is_ours else ""


def id_of_row(line: bytes) -> TraceId:
    """Return the id that a trace has got if it was read from this row, given in its canonical form."""
    return hashlib.sha256(b"row\0" + line).hexdigest()[:24]


def _trace(row: _Row, body: Mapping[str, Any], slot: int, *, is_ours: bool) -> Trace:
    if row.messages is not None:
        system, asked = _opening(row.messages)
        told = _told(row.messages[2:], _ours if is_ours or row.metadata.is_our_writers else _originals)
        version = row.metadata.server.version
    elif row.input is not None and row.output is not None:
        system, asked = row.metadata.system_prompt, row.input.user_message
        told = _Told((), _attempt(1, _answer(row.output), ()))
        version = row.input.server_context.version
    else:
        raise NotARow("it holds neither input and output, nor messages")
    if not asked.strip():
        raise NotARow("it asks nothing")
    metadata = row.metadata
    mode = metadata.mode or (Mode.GOD if asked.lower().startswith("pray ") else Mode.SUDO)
    last = _in_mode(told.last, mode)
    if is_ours:
        last = replace(last, results=_shown(metadata))
    category = metadata.generation_category if metadata.generation_category in CATEGORY_NAMES else IMPORTED
    outcome, level, reason = _ending(metadata, told.attempts, last, is_ours=is_ours)
    return Trace(
        id=id_of_row(canonical(body)),
        prompt=Prompt(asked, category, mode, 0, slot),
        attempts=(*told.attempts, last),
        outcome=outcome,
        level=level,
        reason=reason,
        system=system,
        model=metadata.answered_by,
        world=WorldIdentity(metadata.kind, metadata.server.brand, metadata.server.version or version),
        parameters=metadata.parameters,
    )


def _ending(
    metadata: _Metadata, earlier: Sequence[Attempt], last: Attempt, *, is_ours: bool
) -> tuple[Outcome, Level, str]:
    """Return how the trace ends, how much that shows, and why where it does not speak for itself."""
    if is_ours and metadata.outcome is not None:
        # A row of an edited correction tells nothing of what was corrected.
        lone = metadata.outcome is Outcome.CORRECTED and not earlier
        return Outcome.SOLVED if lone else metadata.outcome, metadata.level, ""
    if last.answer is None or not last.answer.commands:
        return (Outcome.FAILED if earlier else Outcome.REFUSED), Level.NONE, "The answer holds no command."
    if not last.results:
        return Outcome.UNPROVEN, Level.NONE, "The row keeps no reply of a server."
    match find(last.results):
        case Finding.PROVEN:
            return good_outcome(earlier), Level.NONE, ""
        case Finding.MISTAKEN:
            return Outcome.FAILED, Level.NONE, "The reply in the row says that a command failed."
        case Finding.UNPROVEN:
            return Outcome.UNPROVEN, Level.NONE, "The reply in the row does not show that it worked."


def _opening(messages: Sequence[_Message]) -> tuple[str, str]:
    if [message.role for message in messages[:2]] != ["system", "user"]:
        raise NotARow("its messages do not begin with a system prompt and what a player says")
    return messages[0].content, messages[1].content


def _told(messages: Sequence[_Message], read: Callable[[Sequence[_Message], Answer], Iterator[Attempt]]) -> _Told:
    if not messages or messages[-1].role != "assistant":
        raise NotARow("its messages do not end with an answer")
    final = _final(messages[-1].content)
    attempts = list(read(messages[:-1], final))
    if not attempts:
        raise NotARow("its messages hold no call of a command")
    *earlier, last = attempts
    if last.answer is None or last.answer.commands != final.commands:
        raise NotARow(_APART)
    return _Told(tuple(earlier), replace(last, raw="", answer=final))


def _originals(messages: Sequence[_Message], final: Answer) -> Iterator[Attempt]:
    """Yield first and last attempt: a call and its result a turn, of which the last ones are the final commands."""
    calls = [message for message in messages if message.role == "assistant"]
    replies = [message for message in messages if message.role == "tool"]
    pairs = [_judged(_broken_call(call.content), reply.content) for call, reply in zip(calls, replies, strict=False)]
    first = len(pairs) - len(final.commands)
    if len(calls) != len(replies) or first < 0 or tuple(pair.command for pair in pairs[first:]) != final.commands:
        raise NotARow(_APART)
    if first:
        yield _attempt(1, Answer(tuple(pair.command for pair in pairs[:first]), ""), tuple(pairs[:first]))
    yield _attempt(2 if first else 1, final, tuple(pairs[first:]))


def _broken_call(content: str) -> str:
    """Return the command in a call that was never escaped."""
    inner = content.strip().removeprefix(_OPEN).removesuffix(_CLOSE).strip()
    if not (inner.startswith(_BEFORE) and inner.endswith(_AFTER)):
        raise NotARow("a call in it does not have the original's form")
    return inner[len(_BEFORE) : -len(_AFTER)]


def _ours(messages: Sequence[_Message], final: Answer) -> Iterator[Attempt]:
    """Yield every attempt: calls in one turn and a result each, or a reply that was no answer and what it was told."""
    number, hint = 0, None
    at = 0
    while at < len(messages):
        message, number = messages[at], number + 1
        if message.role != "assistant":
            raise NotARow("its turns do not alternate")
        rest = messages[at + 1 :]
        results = [reply.content for reply in _leading(rest, "tool")]
        words = [reply.content for reply in _leading(rest[len(results) :], "user")]
        told = "\n\n".join(words)
        # A model may have written such a call as text: only what followed shows that it was an answer.
        ran_nothing = told == NOTHING_RAN or told.startswith(f"{NOTHING_RAN}\n\n")
        if results or ran_nothing:
            commands = tuple(_command(call) for call in _CALL.findall(message.content))
            if not commands or (results and len(results) != len(commands)):
                raise NotARow(_APART)
            yield replace(_attempt(number, Answer(commands, ""), tuple(map(_judged, commands, results))), hint=hint)
            hint = (told if results else told.removeprefix(NOTHING_RAN)).strip() or None
        else:
            yield Attempt(number, message.content, None, error=told, hint=hint)
            hint = None
        at += 1 + len(results) + len(words)


def _leading(messages: Sequence[_Message], role: str) -> Iterator[_Message]:
    for message in messages:
        if message.role != role:
            return
        yield message


def _command(call: str) -> str:
    try:
        return str(orjson.loads(call)["arguments"]["command"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise NotARow(f"a call in it is no JSON: {error}") from error


def _judged(command: str, told: str) -> CommandResult:
    """Judge the reply within a tool's turn anew."""
    try:
        reply = str(orjson.loads(told)["result"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        reply = told
    return CommandResult(command, reply, judge(reply, command), Level.NONE)


def _shown(metadata: _Metadata) -> tuple[CommandResult, ...]:
    return tuple(
        CommandResult(one.command, one.reply, _verdict(one), one.level, context=metadata.context)
        for one in metadata.results
    )


def _verdict(one: _Shown) -> Verdict:
    """Return what the row claims, with the reason that the reply tells."""
    found = judge(one.reply, one.command)
    return found if found.outcome is one.verdict else Verdict(one.verdict)


def _final(content: str) -> Answer:
    try:
        found = msgspec.json.decode(content, type=_Output)
    except msgspec.MsgspecError as error:
        raise NotARow(f"its last message is no answer: {error}") from error
    answer = _answer(found)
    return replace(answer, reasoning=answer.reasoning.removeprefix(SELF_CORRECTED))


def _answer(output: _Output) -> Answer:
    message = None if output.message is None else _text(output.message)
    return Answer(tuple(output.commands), _text(output.reasoning), message)


def _text(value: Any) -> str:
    """Return what the original kept as it came: models answered lists and numbers, too."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _in_mode(attempt: Attempt, mode: Mode) -> Attempt:
    answer = attempt.answer
    if answer is None:
        return attempt
    answer = replace(answer, message=(answer.message or "") if mode is Mode.GOD else None)
    return replace(attempt, answer=answer, raw=answer_text(answer, mode))


def _attempt(number: int, answer: Answer, results: tuple[CommandResult, ...]) -> Attempt:
    return Attempt(number, answer_text(answer, Mode.SUDO), answer, results=results)


def _id_of(body: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in body.items() if key != "id"}
    prefix = CORRECTION_ID if "messages" in body else STANDARD_ID
    return content_id(prefix, hashlib.sha256(canonical(rest)).hexdigest())
