"""Traces and decisions as JSON, decoded back strictly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from selfplay_core.errors import StoreError

__all__ = ["decode", "encode", "storable"]

T = TypeVar("T")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(value: object) -> str:
    """Return `value` as JSON; lone surrogates, which no UTF-8 file can hold, become U+FFFD."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_mended(msgspec.to_builtins(value))).decode()


def decode(payload: str, kind: type[T], what: str) -> T:
    """Return the dataclass `kind` that `payload` holds; `what` names it in the StoreError of a mismatch."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"{what} cannot be read as stored: {error}. Put a copy of the workspace back, or use the version "
            "of selfplay-tui that wrote it."
        ) from error


def storable(text: str) -> str:
    """Return `text` as SQLite can hold it."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _mended(value: Any) -> Any:
    mend: Callable[[Any], Any] = _mended
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {mend(key): mend(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mend(item) for item in value]
    return value
