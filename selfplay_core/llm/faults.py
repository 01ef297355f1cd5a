"""What a model server's refusals and error lines mean, by status and by its own words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from selfplay_core.errors import (
    ModelBusy,
    ModelDenied,
    ModelFault,
    ModelNotFound,
    ModelRefusedRequest,
    ModelServerError,
)
from selfplay_core.text import clip, one_line

__all__ = ["Endpoint", "Refusal", "error_line_fault", "refusal_fault", "says_model_not_found", "server_words"]

_NOT_FOUND = re.compile(r"\bmodel\s+(\S+\s+)?(was )?(not found|does not exist|doesn't exist)", re.IGNORECASE)
_BUSY = re.compile(r"\b(server (is )?busy|maximum pending requests|too many requests|overloaded)\b", re.IGNORECASE)
_NESTED: Final = 4
_WORDS_SHOWN: Final = 120
_NAME_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model on a server, with what a person can do when either is away.

    `start` and `fetch` are imperative clauses: how to get the server, and the model on it.
    """

    url: str
    model: str
    start: str
    fetch: str

    @property
    def source(self) -> str:
        """The model and its server as messages name them."""
        return f"{clip(one_line(self.model), _NAME_SHOWN)} at {clip(self.url, _NAME_SHOWN)}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer whose status says that no reply follows; `words` are the server's own, verbatim."""

    url: str
    status: int
    words: str
    location: str = ""


def server_words(body: bytes) -> str:
    """Return the error text in a body: of `{"error": …}` in all its known shapes, or the body itself."""
    text = body.decode("utf-8", "replace").strip()
    return unwrapped(_parsed(text), _NESTED) or text


def unwrapped(value: object, depth: int = _NESTED) -> str:
    """Return the innermost error text of `value`; some servers put a JSON body into the string of another."""
    if isinstance(value, str):
        inner = _parsed(value) if value.lstrip().startswith("{") and depth else None
        return (unwrapped(inner, depth - 1) if inner is not None else "") or value
    if isinstance(value, dict) and depth:
        for key in ("error", "message", "detail"):
            if value.get(key):
                return unwrapped(value[key], depth - 1)
    return "" if value is None else _as_json(value)


def says_model_not_found(words: str) -> bool:
    """Tell whether a server's words mean that it does not have the model."""
    return _NOT_FOUND.search(words) is not None


def refusal_fault(refusal: Refusal, endpoint: Endpoint) -> ModelFault:
    """Return the fault that an HTTP status other than success means."""
    status, words = refusal.status, refusal.words
    said = f"HTTP {status}{_quoted(words)}"
    if status in (429, 503) or (status >= 500 and _BUSY.search(words)):
        return ModelBusy(f"{endpoint.source} is busy ({said}). Wait, or lower the concurrency.")
    if status >= 500:
        return ModelServerError(f"{endpoint.source} failed ({said}). Look into the server's log.")
    if says_model_not_found(words):
        return _not_found(endpoint, said)
    address = clip(one_line(refusal.url), _NAME_SHOWN)
    if status == 404:
        return ModelDenied(f"Nothing is served at {address} ({said}). Correct the address of the server.")
    if status < 400:
        target = clip(one_line(refusal.location), _NAME_SHOWN)
        return ModelDenied(
            f"{address} redirects to {target or 'nowhere'} (HTTP {status}), which is not followed. "
            "Give the final address."
        )
    if status in (401, 403):
        return ModelDenied(f"{address} denies access ({said}). Check the key and the allowed hosts.")
    return ModelRefusedRequest(f"{endpoint.source} refuses the request ({said}). Change what it complains about.")


def error_line_fault(words: str, endpoint: Endpoint) -> ModelFault:
    """Return the fault that an error within a stream means, after HTTP has already said 200."""
    said = f"an error within the reply{_quoted(words)}"
    if says_model_not_found(words):
        return _not_found(endpoint, said)
    if _BUSY.search(words):
        return ModelBusy(f"{endpoint.source} is busy ({said}). Wait, or lower the concurrency.")
    return ModelServerError(f"{endpoint.source} failed ({said}). Look into the server's log.")


def _not_found(endpoint: Endpoint, said: str) -> ModelNotFound:
    return ModelNotFound(f"{endpoint.source} is not there ({said}). {endpoint.fetch}")


def _quoted(words: str) -> str:
    shown = clip(one_line(words), _WORDS_SHOWN)
    return f': "{shown}"' if shown else ""


def _as_json(value: object) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "nested too deeply to be shown"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
