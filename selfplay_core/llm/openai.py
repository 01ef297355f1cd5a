"""The OpenAI-shaped API of vLLM, llama-server, LM Studio, llama-cpp-python and Ollama's /v1, over SSE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from selfplay_core.errors import ModelFault, ModelUnreachable, SettingsError, Unfinished
from selfplay_core.llm.address import normalise_url
from selfplay_core.llm.base import ChatReply, ChatRequest
from selfplay_core.llm.faults import Endpoint, Refusal, error_line_fault, refusal_fault, unwrapped
from selfplay_core.llm.http import ModelHttp
from selfplay_core.llm.schema_forms import SchemaForms, SchemaStyle, is_about_the_format, response_format
from selfplay_core.llm.stream import Deadlines
from selfplay_core.llm.transcript import Transcript, count, json_object, small_object
from selfplay_core.models import ModelIdentity
from selfplay_core.text import clip, one_line

__all__ = ["OpenAIChat", "SchemaStyle"]

_NO_THINKING: Final = {"chat_template_kwargs": {"enable_thinking": False}}
_EFFORT_NONE: Final = {"reasoning_effort": "none"}
_VERSION_SHOWN: Final = 100

_THINKING_KEYS: Final = ("reasoning_content", "reasoning", "thinking")

# Reasons that name an end, but not the model's own.
_BROKEN_OFF: Final = frozenset({"abort", "aborted", "cancelled", "content_filter", "error"})


class OpenAIChat:
    """A model behind an OpenAI-shaped server; any number of tasks may chat at once.

    `url` is the base as these servers print it, usually ending in /v1, which is added where no path is given.
    `schema_style` is how the schema is sent first; a server that refuses `json_schema` is sent `json_object`
    with the schema beside it from then on. `think` False asks the chat template to leave thinking out, and Ollama
    in its own words; `reasoning_effort` is sent only where given, since some servers refuse the values of others.
    `extra` is merged into every body.
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
        self._forms = SchemaForms(schema_style, self._endpoint.source)
        self._think = think
        self._thinking: Mapping[str, object] = {} if think else _NO_THINKING
        effort = {} if reasoning_effort is None else {"reasoning_effort": reasoning_effort}
        self._always: dict[str, object] = {**effort, **(extra or {})}
        self._http = ModelHttp(
            self._endpoint,
            Deadlines(connect_seconds, first_byte_seconds, stall_seconds, total_seconds),
            headers=_authorization(api_key),
            proxy=proxy,
            secret=api_key,
        )

    async def identify(self) -> ModelIdentity:
        """Ask whether the server is there, and whether it is Ollama; raises ModelUnreachable.

        A model that is not listed is no fault: several servers answer for any name, or load on demand.
        """
        await self._http.ask("GET", "/models")
        version = await self._ollama_version()
        if version and not self._think:
            self._thinking = _EFFORT_NONE
        return ModelIdentity(
            kind="openai", name=self._endpoint.model, server_version=f"Ollama {version}" if version else ""
        )

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return one whole reply; raises a `ModelFault` that holds what had come before it."""
        reading = _Reading(self._endpoint)
        try:
            refusal = await self._post_in_some_form(request, reading)
            if refusal is not None:
                raise refusal_fault(refusal, self._endpoint)
            return reading.transcript.reply(reading.ended, max_tokens=request.max_tokens)
        except ModelFault as fault:
            fault.partial, fault.thinking = reading.transcript.said()
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _post_in_some_form(self, request: ChatRequest, reading: _Reading) -> Refusal | None:
        """Post with the schema in the form that the server takes; return its refusal if it takes none."""
        style = self._forms.style
        refused = await self._post(request, style, reading)
        if refused is None:
            self._forms.taken(style, None)
            return None
        other = self._forms.other(refused, style)
        if other is None:
            return refused
        again = await self._post(request, other, reading)
        if again is None:
            self._forms.taken(other, refused)
            return None
        # What is not about the form is what is wrong.
        return refused if is_about_the_format(again) else again

    async def _post(self, request: ChatRequest, style: SchemaStyle, reading: _Reading) -> Refusal | None:
        return await self._http.post_lines("/chat/completions", self._body(request, style), reading.feed)

    async def _ollama_version(self) -> str:
        """Return the version of an Ollama server, "" of any other: none but Ollama has this address beside /v1."""
        root = self._endpoint.url.removesuffix("/v1")
        if root == self._endpoint.url:
            return ""
        try:
            found = await self._http.ask("GET", "/api/version", root=root)
        except ModelUnreachable:
            return ""
        version = small_object(found.body).get("version") if found.status == 200 else None
        return clip(one_line(version), _VERSION_SHOWN) if isinstance(version, str) else ""

    def _body(self, request: ChatRequest, style: SchemaStyle) -> dict[str, object]:
        return {
            "model": self._endpoint.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "response_format": response_format(request.schema, style),
            **self._thinking,
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
            if self.ended is None:
                raise Unfinished(
                    f"The server of {self._endpoint.source} says that it is done, but not why: it broke the reply off. "
                    "If that happens at a concurrency above 1, start llama-cpp-python with --interrupt_requests false."
                )
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


def _authorization(api_key: str | None) -> dict[str, str]:
    if api_key is None:
        return {}
    if not (api_key and api_key.isascii() and api_key.isprintable()):
        raise SettingsError(
            "The key of the model server is empty or holds characters that no HTTP header can carry. "
            "Copy it anew, without line breaks."
        )
    return {"Authorization": f"Bearer {api_key}"}
