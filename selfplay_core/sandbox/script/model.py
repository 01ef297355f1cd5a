"""A scripted model: it writes requests, answers them, errs as models do and mends its errors.

Its reply is a pure function of the request: of the messages, the seed, the temperature and the format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from selfplay_core.models import SANDBOX_MODELS, SANDBOX_NAME
from selfplay_core.sandbox.script.scenarios import CATEGORIES, Book, Scene

__all__ = ["MODEL", "MODELS", "ModelReply", "ModelRequest", "ScriptedModel", "Turn"]

MODEL = SANDBOX_NAME
MODELS = SANDBOX_MODELS

_CATEGORY = re.compile(r"^Category:[ \t]*(\w+)", re.MULTILINE)
_COUNT = re.compile(r"^Count:[ \t]*(\d{1,6})[ \t]*$", re.MULTILINE)
_DEFAULT_COUNT = 5
_MOST_PROMPTS = 100
_CHARACTERS_A_TOKEN = 4

# Of a hundred first answers, how many miss their target, decline, or are no answer by type.
_GOES_ASTRAY, _DECLINES, _ILL_TYPED = 3, 4, 4
# Of a hundred requests that call for a risky command, how many get one instead of a refusal.
_DARES = 40

_UNKNOWN = Scene(
    right=(),
    why="The sandbox's model knows the requests that it wrote itself and no others.",
    say="I do not know what you mean, and so I do nothing.",
    wrong=(),
    astray=(),
    risky=(),
)


@dataclass(frozen=True, slots=True)
class _Skill:
    """Of a hundred first answers how many err; of a hundred that erred how many are mended at once, or at the next try.

    The rest never are.
    """

    errs: int
    mends: int
    mends_later: int


_SKILLS = dict(zip(MODELS, (_Skill(30, 72, 14), _Skill(50, 55, 15)), strict=True))


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a reply depends on; `properties` are the names that the schema asks for."""

    turns: tuple[Turn, ...]
    properties: frozenset[str] = frozenset()
    seed: int = 0
    temperature: float = 0.0
    think: bool = False
    max_tokens: int = -1
    model: str = MODEL


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A reply; `truncated` when the token limit cut it."""

    content: str
    thinking: str
    prompt_tokens: int
    output_tokens: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    commands: Sequence[str] | str
    reasoning: str
    message: str


class ScriptedModel:
    """A model that knows the sandbox's scenarios."""

    def __init__(self, players: tuple[str, ...]) -> None:
        self._book = Book(players)

    def reply(self, request: ModelRequest) -> ModelReply:
        """Return the one reply to a request."""
        content, thought = self._content(request)
        thinking = thought if request.think else ""
        tokens = _tokens(content) + _tokens(thinking)
        truncated = 0 < request.max_tokens < tokens
        if truncated:
            room = request.max_tokens * _CHARACTERS_A_TOKEN
            thinking, content = thinking[:room], content[: max(0, room - len(thinking))]
        return ModelReply(
            content=content,
            thinking=thinking,
            prompt_tokens=sum(_tokens(turn.content) for turn in request.turns),
            output_tokens=min(tokens, request.max_tokens) if truncated else tokens,
            truncated=truncated,
        )

    def _content(self, request: ModelRequest) -> tuple[str, str]:
        """Return what is said, and the thought before it."""
        if "prompts" in request.properties:
            return _json({"prompts": self._prompts(request)}), "Different players, different troubles. Let me vary."
        users = [turn.content for turn in request.turns if turn.role == "user"]
        prompt = users[0] if users else ""
        scene = self._book.find(prompt) or _UNKNOWN
        attempts = [turn.content for turn in request.turns if turn.role == "assistant"]
        skill = _SKILLS[request.model]
        answer = _later(scene, prompt, attempts, skill) if attempts else _first(scene, prompt, request, skill.errs)
        fields: dict[str, object] = {"commands": answer.commands, "reasoning": answer.reasoning}
        if "message" in request.properties:
            fields = {"message": answer.message, **fields}
        return _json(fields), f"They ask: {prompt[:200]}. {scene.why} So that is what the commands must do."

    def _prompts(self, request: ModelRequest) -> list[str]:
        text = "\n".join(turn.content for turn in request.turns if turn.role == "user")
        category, count = _CATEGORY.search(text), _COUNT.search(text)
        names = [category[1]] if category and category[1] in CATEGORIES else list(CATEGORIES)
        wanted = min(int(count[1]), _MOST_PROMPTS) if count else _DEFAULT_COUNT
        random = Random(_hash("prompts", request.seed, request.temperature, text, len(request.turns)))
        prompts: dict[str, None] = {}
        while len(prompts) < wanted:
            prompts[self._book.draw(random.choice(names), random)] = None
        return list(prompts)


def _first(scene: Scene, prompt: str, request: ModelRequest, errs: int) -> _Answer:
    """Return the first answer: right, or one of the ways to go wrong."""
    chance = _hash("first", request.seed, request.temperature, prompt) % 100
    choice = _hash("which", request.seed, prompt)
    if scene.risky:
        return _answered(scene, _pick(scene.risky, choice)) if chance < _DARES else _answered(scene, ())
    if not scene.right:
        return _answered(scene, ())
    if scene.wrong and chance < errs:
        return _answered(scene, _pick(scene.wrong, choice))
    chance -= errs
    if scene.astray and 0 <= chance < _GOES_ASTRAY:
        return _answered(scene, _pick(scene.astray, choice))
    chance -= _GOES_ASTRAY
    if 0 <= chance < _DECLINES:
        return _Answer((), "I would rather not change the world for this request.", "Not today, mortal.")
    chance -= _DECLINES
    if 0 <= chance < _ILL_TYPED:
        return _Answer("; ".join(scene.right), scene.why, scene.say)
    return _answered(scene, scene.right)


def _later(scene: Scene, prompt: str, attempts: list[str], skill: _Skill) -> _Answer:
    """Return the answer after an error: most learn from it at once, some later, some never.

    The seed has no part in it, for it changes from attempt to attempt: the model's nature is drawn from the
    request and from what it said first.
    """
    nature = _hash("later", prompt, attempts[0]) % 100
    patience = 1 if nature < skill.mends else 2 if nature < skill.mends + skill.mends_later else len(attempts) + 1
    if len(attempts) >= patience or not scene.wrong or _is_ill_typed(attempts[0]):
        return _answered(scene, scene.right)
    made = _mistake_of(scene, attempts[-1])
    return _answered(scene, scene.wrong[(made + 1) % len(scene.wrong)])


def _is_ill_typed(attempt: str) -> bool:
    return not isinstance(_commands_of(attempt), list)


def _mistake_of(scene: Scene, attempt: str) -> int:
    commands = _commands_of(attempt)
    lists = [list(wrong) for wrong in scene.wrong]
    return lists.index(commands) if isinstance(commands, list) and commands in lists else -1


def _commands_of(attempt: str) -> Any:
    try:
        decoded = orjson.loads(attempt)
    except orjson.JSONDecodeError:
        return None
    return decoded.get("commands") if isinstance(decoded, Mapping) else None


def _answered(scene: Scene, commands: Sequence[str]) -> _Answer:
    return _Answer(commands, scene.why, scene.say)


def _pick(lists: Sequence[Sequence[str]], choice: int) -> Sequence[str]:
    return lists[choice % len(lists)]


def _hash(*parts: object) -> int:
    digest = hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_A_TOKEN)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
