"""One reply, put together from its chunks."""

from __future__ import annotations

import json
import time
from typing import Final

from selfplay_core.errors import Blank, ModelServerError, Truncated, Unfinished
from selfplay_core.llm.base import ChatReply
from selfplay_core.llm.thinking import split_thinking
from selfplay_core.text import clip, one_line

__all__ = ["Transcript", "count", "json_object", "small_object"]

_CONTENT_CHARACTERS: Final = 1 << 20

_ANOTHER_SEED: Final = "Ask again with another seed; if it happens often, switch thinking off."

# LM Studio does so with some models under a schema. It stays thinking: nothing is guessed to be an answer.
_MISPLACED: Final = (
    "Its thinking is a JSON object: the server takes the answer for thinking. "
    "Switch off that it separates the two (LM Studio: Developer settings, reasoning_content)."
)


class Transcript:
    """What a model has said so far: pieces of content and of thinking, bounded."""

    def __init__(self, source: str, *, limit: int = _CONTENT_CHARACTERS) -> None:
        self._source = source
        self._limit = limit
        self._length = 0
        self._content: list[str] = []
        self._thinking: list[str] = []
        self._started = time.perf_counter()
        self.prompt_tokens = 0
        self.output_tokens = 0

    def add(self, content: object, thinking: object) -> None:
        """Take one chunk's texts, where None is no text; raises ModelServerError or Unfinished."""
        self._append(self._content, content)
        self._append(self._thinking, thinking)
        if self._length > self._limit:
            raise Unfinished(
                f"The reply of {self._source} grew past {self._limit:,} characters without an end. "
                "It was given up: the model repeats itself, so try another seed or a smaller token limit."
            )

    def said(self) -> tuple[str, str]:
        """Return content and thinking so far, thinking that stood in the content moved over to the other."""
        inner, content = split_thinking(_mended("".join(self._content)))
        outer = _mended("".join(self._thinking))
        return content, "\n".join(part for part in (outer, inner) if part)

    def reply(self, ended: str | None, *, max_tokens: int) -> ChatReply:
        """Return the whole reply; raises Unfinished, Truncated or Blank.

        `ended` is the reason that the server gave for the end, "length" if it was the token limit, or None if
        the server never said that the reply has ended.
        """
        if ended is None and not self._length:
            raise Unfinished(
                f"The stream of {self._source} ended without a word. "
                "Look into the server's log: the prompt may be longer than its context, or it broke off for another."
            )
        if ended is None:
            raise Unfinished(
                f"The stream of {self._source} ended before the server said that the reply is done. "
                "The model may have repeated itself: ask again with another seed."
            )
        content, thinking = self.said()
        if ended == "length":
            raise Truncated(
                f"The reply of {self._source} was cut by the limit of {max_tokens} tokens"
                f"{' while it was still thinking' if not content.strip() else ''}. "
                "Raise the token limit, or switch thinking off."
            )
        if not content.strip():
            raise Blank(
                f"The reply of {self._source} holds no text{' but thinking' if thinking.strip() else ''}. "
                + (_MISPLACED if small_object(thinking.encode()) else _ANOTHER_SEED)
            )
        return ChatReply(
            content=content,
            thinking=thinking,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            seconds=time.perf_counter() - self._started,
        )

    def _append(self, pieces: list[str], piece: object) -> None:
        if piece is None:
            return
        if not isinstance(piece, str):
            raise ModelServerError(
                f"{self._source} sent a piece of text that is no string. Check that the server speaks this protocol."
            )
        self._length += len(piece)
        if piece:
            pieces.append(piece)


def json_object(line: bytes, source: str) -> dict[str, object]:
    """Return the object in one line of a stream; raises ModelServerError if there is none.

    The standard library's parser lets halves of surrogate pairs through: servers that count in UTF-16 cut an
    emoji into two chunks, and only the whole text can be mended.
    """
    try:
        value = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise _no_object(line, source) from error
    if not isinstance(value, dict):
        raise _no_object(line, source)
    return value


def small_object(body: bytes) -> dict[str, object]:
    """Return the object that a whole body is, an empty one if it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def count(value: object) -> int:
    """Return a number of tokens; servers leave the field out for zero."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _no_object(line: bytes, source: str) -> ModelServerError:
    shown = clip(one_line(line[:400].decode("utf-8", "replace")), 80)
    return ModelServerError(
        f'{source} sent a line that is no JSON object: "{shown}". '
        "Check that the address is right, and the server's log."
    )


def _mended(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
