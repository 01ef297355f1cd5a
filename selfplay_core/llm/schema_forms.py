"""Which of two forms of a schema an OpenAI-shaped server takes, learnt from what it refuses and takes."""

from __future__ import annotations

import logging
from typing import Any, Final, Literal

from selfplay_core.llm.faults import Refusal

__all__ = ["SchemaForms", "SchemaStyle", "is_about_the_format", "response_format"]

SchemaStyle = Literal["json_schema", "json_object"]

_log = logging.getLogger(__name__)

_SURE: Final = 2
_WORDS: Final = ("response_format", "json_schema", "json_object")


class SchemaForms:
    """The form in use; `json_object` replaces `json_schema` for good, once the server has shown that it must.

    A server that does not know `json_schema` answers 400 or 422, or fails (500, llama-cpp-python), and seldom says
    why. So until it has taken a form, a refused request is sent once more in the other one, and what it takes then
    is its form. As a 500 may be an accident, one without the field's name must come twice.
    """

    def __init__(self, style: SchemaStyle, source: str) -> None:
        self.style: SchemaStyle = style
        self._source = source
        self._is_known = False
        self._failures = 0

    def other(self, refusal: Refusal, style: SchemaStyle) -> SchemaStyle | None:
        """Return the form in which to send a refused request once more, None for none."""
        if style == "json_object" or refusal.status not in (400, 422, 500):
            return None
        return "json_object" if is_about_the_format(refusal) or not self._is_known else None

    def taken(self, style: SchemaStyle, after: Refusal | None) -> None:
        """Note that the server took a form, `after` it had refused the other one."""
        if after is None:
            # A reply to a request that began before the change says nothing about it.
            self._is_known = self._is_known or style == self.style
            return
        self._failures += _SURE if after.status != 500 or is_about_the_format(after) else 1
        if self._failures >= _SURE and self.style != style:
            self.style, self._is_known = style, True
            _log.warning(
                "%s refuses a schema as %s (HTTP %d); from now on it is sent as %s.",
                self._source,
                "json_schema",
                after.status,
                style,
            )


def response_format(schema: dict[str, Any], style: SchemaStyle) -> dict[str, object]:
    """Return the field of a request that asks for replies of a schema."""
    if style == "json_object":
        return {"type": "json_object", "schema": schema}
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}


def is_about_the_format(refusal: Refusal) -> bool:
    """Tell whether a refusal names the field."""
    return any(word in refusal.words for word in _WORDS)
