"""What a model may reply: one typed class gives the schema that is sent and the check of what returns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from selfplay_core import models
from selfplay_core.errors import IllTyped
from selfplay_core.models import Mode
from selfplay_core.text import clip, one_line

__all__ = [
    "DecodedPrompts",
    "DroppedPrompt",
    "GodAnswer",
    "SudoAnswer",
    "WrittenPrompts",
    "answer_schema",
    "decode_answer",
    "decode_prompts",
    "prompts_schema",
]


class SudoAnswer(msgspec.Struct, frozen=True):
    """The answer to a `sudo` prompt."""

    commands: list[str]
    reasoning: str


class GodAnswer(msgspec.Struct, frozen=True):
    """The answer to a `pray` prompt; `message` is what the god says."""

    message: str
    commands: list[str]
    reasoning: str


class WrittenPrompts(msgspec.Struct, frozen=True):
    """The prompts that the model writes for a category."""

    prompts: list[str]


@dataclass(frozen=True, slots=True)
class DroppedPrompt:
    """An element of the list that is no prompt: its text (JSON if it was no string), and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class DecodedPrompts:
    """The prompts that can be used, stripped and in order, and the elements that cannot."""

    prompts: tuple[str, ...]
    dropped: tuple[DroppedPrompt, ...]


_Reply = type[SudoAnswer] | type[GodAnswer] | type[WrittenPrompts]

_ANSWERS: Final[dict[Mode, type[SudoAnswer] | type[GodAnswer]]] = {Mode.SUDO: SudoAnswer, Mode.GOD: GodAnswer}

# Every character at which str.splitlines breaks, and every other control character.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_BREAKS: Final = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")

_FAULTS_NAMED: Final = 8
_SHOWN_CHARACTERS: Final = 200


def answer_schema(mode: Mode) -> dict[str, Any]:
    """Return the JSON Schema of an answer in `mode`, with the object itself at its root."""
    return _schema(_ANSWERS[mode])


def prompts_schema() -> dict[str, Any]:
    """Return the JSON Schema of a list of prompts, with the object itself at its root."""
    return _schema(WrittenPrompts)


def decode_answer(content: str, mode: Mode) -> models.Answer:
    """Return the answer that `content` is; raises IllTyped, whose text tells the model every fault.

    An empty list of commands is an answer. Unknown keys are ignored.
    """
    wanted = _ANSWERS[mode]
    keys = _object(content, wanted)
    if faults := [*_shape_faults(keys, wanted), *_command_faults(keys.get("commands"))]:
        raise _ill_typed(f"Your reply does not have the asked form: {_listed(faults)}.", wanted)
    answer = msgspec.convert(keys, wanted)
    return models.Answer(
        commands=tuple(answer.commands),
        reasoning=answer.reasoning,
        message=answer.message if isinstance(answer, GodAnswer) else None,
    )


def decode_prompts(content: str) -> DecodedPrompts:
    """Return the prompts in `content`; raises IllTyped unless it is an object with a list of prompts.

    One bad element does not cost the others: it is dropped, with the reason.
    """
    keys = _object(content, WrittenPrompts)
    elements = keys.get("prompts")
    if not isinstance(elements, list):
        faults = list(_shape_faults(keys, WrittenPrompts))
        raise _ill_typed(f"Your reply does not have the asked form: {_listed(faults)}.", WrittenPrompts)
    prompts: list[str] = []
    dropped: list[DroppedPrompt] = []
    for element in elements:
        if not isinstance(element, str):
            dropped.append(DroppedPrompt(_as_json(element), f"is {_kind(element)}, not a string"))
        elif fault := _line_fault(element.strip()):
            dropped.append(DroppedPrompt(element, fault))
        else:
            prompts.append(element.strip())
    return DecodedPrompts(tuple(prompts), tuple(dropped))


@cache
def _schema(wanted: _Reply) -> dict[str, Any]:
    # msgspec puts the object behind a top-level $ref, which several servers cannot follow; the title and the
    # docstring are ours, not part of the protocol.
    _, components = msgspec.json.schema_components([wanted])
    body = components[wanted.__name__]
    return {
        "type": "object",
        "properties": body["properties"],
        "required": body["required"],
        "additionalProperties": False,
    }


def _object(content: str, wanted: _Reply) -> dict[str, object]:
    if content.lstrip().startswith("```"):
        raise _ill_typed("Your reply is wrapped in a code fence.", wanted)
    try:
        value: object = msgspec.json.decode(content)
        twice = _key_given_twice(content)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise _ill_typed(f"Your reply is not one valid JSON value ({_said(error)}).", wanted) from error
    except RecursionError as error:
        raise _ill_typed("Your reply is nested too deeply.", wanted) from error
    if not isinstance(value, dict):
        raise _ill_typed(f"Your reply is {_kind(value)} at the top, not an object.", wanted)
    if twice is not None:
        raise _ill_typed(f'Your reply has the key "{clip(one_line(twice), 40)}" more than once.', wanted)
    return value


def _key_given_twice(document: str) -> str | None:
    """Return a key that an object holds more than once: decoders take the last of them without a word."""
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
            seen.add(key)

    json.loads(document, object_pairs_hook=look)
    return found[0] if found else None


def _ill_typed(fault: str, wanted: _Reply) -> IllTyped:
    fields = msgspec.structs.fields(wanted)
    keys = " and ".join(
        f'"{field.name}" ({"a string" if field.type is str else "an array of strings"})' for field in fields
    )
    return IllTyped(f"{fault} Reply with one JSON object alone, with nothing before or after it: {keys}.")


def _shape_faults(keys: dict[str, object], wanted: _Reply) -> Iterator[str]:
    for field in msgspec.structs.fields(wanted):
        if field.name not in keys:
            yield f'"{field.name}" is missing'
            continue
        value = keys[field.name]
        if field.type is str and not isinstance(value, str):
            yield f'"{field.name}" must be a string, not {_kind(value)}'
        elif field.type is not str and not isinstance(value, list):
            yield f'"{field.name}" must be an array of strings, not {_kind(value)}'


def _command_faults(commands: object) -> Iterator[str]:
    if not isinstance(commands, list):
        return
    for index, command in enumerate(commands):
        if not isinstance(command, str):
            yield f"commands[{index}] must be a string, not {_kind(command)}"
        elif fault := _command_fault(command):
            yield f"commands[{index}] {fault}"


def _command_fault(command: str) -> str | None:
    if fault := _line_fault(command):
        return fault
    bare = command.lstrip()
    # WorldEdit's own commands begin with two slashes; a single one is the chat's, not the command's.
    if bare.startswith("/") and not bare.startswith("//"):
        return f"must not start with a slash ({_quoted(command)})"
    return None


def _line_fault(line: str) -> str | None:
    if not line or line.isspace():
        return "is blank"
    found = _CONTROL.search(line)
    if found is None:
        return None
    if found.group() in _LINE_BREAKS:
        return "holds a line break"
    return f"holds the control character U+{ord(found.group()):04X}"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def _listed(faults: Sequence[str]) -> str:
    named = "; ".join(faults[:_FAULTS_NAMED])
    more = len(faults) - _FAULTS_NAMED
    return f"{named}; and {more} more" if more > 0 else named


def _quoted(text: str) -> str:
    return f'"{clip(one_line(text), 40)}"'


def _said(error: Exception) -> str:
    # The text of UnicodeEncodeError is about Python's codecs, which are nothing to the model.
    if isinstance(error, UnicodeEncodeError):
        return "half a surrogate pair"
    return clip(one_line(str(error)), 80)


def _as_json(value: object) -> str:
    return clip(msgspec.json.encode(value).decode(), _SHOWN_CHARACTERS)
