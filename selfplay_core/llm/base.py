"""The protocol that every model server is spoken to through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from selfplay_core.models import ModelIdentity

__all__ = ["ChatModel", "ChatReply", "ChatRequest", "Message"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request; `schema` is the JSON Schema of the typed reply, with an object at its root."""

    messages: tuple[Message, ...]
    schema: dict[str, Any]
    temperature: float
    seed: int
    max_tokens: int


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply that ended in good order: `content` is never blank; thinking has been taken out of it."""

    content: str
    thinking: str
    prompt_tokens: int
    output_tokens: int
    seconds: float


class ChatModel(Protocol):
    """A model behind a server; knows nothing of retries, slots or answers."""

    async def identify(self) -> ModelIdentity:
        """Ask the server who it is; raises ModelUnreachable or ModelNotFound."""

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return one whole reply; raises a `ModelFault`."""

    async def aclose(self) -> None:
        """Close every connection."""
