"""The OpenAI-shaped API of vLLM, llama-server, LM Studio, llama-cpp-python and Ollama's /v1, over SSE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from selfplay_core.errors import ModelFault, SettingsError, Unfinished
from selfplay_core.llm.address import normalise_url
from selfplay_core.llm.base import ChatReply, ChatRequest
from selfplay_core.llm.faults import Endpoint, Refusal, error_line_fault, refusal_fault, unwrapped
from selfplay_core.llm.http import ModelHttp
from selfplay_core.llm.stream import Deadlines
from selfplay_core.llm.transcript import Transcript, count, json_object
from selfplay_core.models import ModelIdentity

__all__ = ["OpenAIChat", "SchemaStyle"]

SchemaStyle = Literal["json_schema", "json_object"]

_THINKING_KEYS: Final = ("reasoning_content", "reasoning", "thinking")

# Reasons that name an end, but not the model's own.
_BROKEN_OFF: Final = frozenset({"abort", "aborted", "cancelled", "content_filter", "error"})


class OpenAIChat:
    """A model behind an OpenAI-shaped server; any number of tasks may chat at once.

    `url` is the base as these servers print it, usually ending in /v1, which is added where no path is given.
    `schema_style` is how the schema is sent first; a server that refuses `json_schema` is sent `json_object`
    with the schema beside it from then on. `think` False asks the chat template to leave thinking out;
    `reasoning_effort` is sent only where given, since some servers refuse the values of others. `extra` is
    merged into every body.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        schema_style: SchemaStyle = "json_schema",
        think: bool = False,
        reasoning_effort: str | None = None,
        extra: Mapping[str, object] | None = None,
        connect_seconds: float = 5,
        first_byte_seconds: float = 300,
        stall_seconds: float = 60,
        total_seconds: float = 600,
        proxy: str | None = None,
    ) -> None:
        base = normalise_url(url, default_port=8000)
        self._endpoint = Endpoint(
            url=base if urlsplit(base).path else f"{base}/v1",
            model=model,
            start="Start it, or correct its address.",
            fetch="Load it in the server, or choose a model that the server lists under /v1/models.",
        )
        self._style: SchemaStyle = schema_style
        self._always: dict[str, object] = {} if think else {"chat_template_kwargs": {"enable_thinking": False}}
        if reasoning_effort is not None:
            self._always["reasoning_effort"] = reasoning_effort
        self._always |= extra or {}
        self._http = ModelHttp(
            self._endpoint,
            Deadlines(connect_seconds, first_byte_seconds, stall_seconds, total_seconds),
            headers=_authorization(api_key),
            proxy=proxy,
            secret=api_key,
        )

    async def identify(self) -> ModelIdentity:
        """Ask whether the server is there; raises ModelUnreachable.

        A model that is not listed is no fault: several servers answer for any name, or load on demand.
        """
        await self._http.ask("GET", "/models")
        return ModelIdentity(kind="openai", name=self._endpoint.model)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return one whole reply; raises a `ModelFault` that holds what had come before it."""
        style = self._style
        reading = _Reading(self._endpoint)
        try:
            refusal = await self._post(request, style, reading)
            if refusal is not None and style == "json_schema" and _is_about_the_format(refusal):
                refusal = await self._post(request, "json_object", reading)
                if refusal is None or not _is_about_the_format(refusal):
                    self._style = "json_object"
            if refusal is not None:
                raise refusal_fault(refusal, self._endpoint)
            return reading.transcript.reply(reading.ended, max_tokens=request.max_tokens)
        except ModelFault as fault:
            fault.partial, fault.thinking = reading.transcript.said()
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _post(self, request: ChatRequest, style: SchemaStyle, reading: _Reading) -> Refusal | None:
        return await self._http.post_lines("/chat/completions", self._body(request, style), reading.feed)

    def _body(self, request: ChatRequest, style: SchemaStyle) -> dict[str, object]:
        return {
            "model": self._endpoint.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "response_format": _response_format(request, style),
            **self._always,
        }


class _Reading:
    """The events of one streamed reply; `ended` is the finish reason once the server has given one."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.transcript = Transcript(endpoint.source)
        self.ended: str | None = None

    def feed(self, line: bytes) -> bool:
        """Take one line of an event stream and tell whether it was the last; raises a `ModelFault`.

        Every server sends an event's data in one line. An error may also come bare, or as a field of its own.
        """
        line = line.strip()
        name, _, rest = (b"data", b"", line) if line.startswith(b"{") else line.partition(b":")
        data = rest.strip()
        if name not in (b"data", b"error") or not data:
            return False
        if data == b"[DONE]":
            return True
        self._take(json_object(data, self._endpoint.source), failed=name == b"error")
        return False

    def _take(self, event: dict[str, object], *, failed: bool) -> None:
        if failed or event.get("error") or event.get("object") == "error":
            raise error_line_fault(unwrapped(event), self._endpoint)
        usage = event.get("usage")
        if isinstance(usage, dict):
            self.transcript.prompt_tokens = count(usage.get("prompt_tokens"))
            self.transcript.output_tokens = count(usage.get("completion_tokens"))
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and choice.get("index") in (None, 0):
                self._take_choice(choice)

    def _take_choice(self, choice: dict[str, object]) -> None:
        # A server that ignores `stream` sends the whole message at once.
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            thinking = next((delta[key] for key in _THINKING_KEYS if delta.get(key)), None)
            self.transcript.add(delta.get("content"), thinking)
        reason = choice.get("finish_reason")
        if not isinstance(reason, str):
            return
        if reason in _BROKEN_OFF:
            raise Unfinished(
                f"The reply of {self._endpoint.source} was broken off by the server ({reason}). "
                "Ask again with another seed."
            )
        self.ended = reason


def _response_format(request: ChatRequest, style: SchemaStyle) -> dict[str, object]:
    if style == "json_object":
        return {"type": "json_object", "schema": request.schema}
    return {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": request.schema}}


def _is_about_the_format(refusal: Refusal) -> bool:
    return refusal.status in (400, 422, 500) and any(
        word in refusal.words for word in ("response_format", "json_schema", "json_object")
    )


def _authorization(api_key: str | None) -> dict[str, str]:
    if api_key is None:
        return {}
    if not (api_key and api_key.isascii() and api_key.isprintable()):
        raise SettingsError(
            "The key of the model server is empty or holds characters that no HTTP header can carry. "
            "Copy it anew, without line breaks."
        )
    return {"Authorization": f"Bearer {api_key}"}
