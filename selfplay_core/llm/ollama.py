"""Ollama's own API: POST /api/chat, streamed as one JSON object a line."""

from __future__ import annotations

from typing import Final

from selfplay_core.errors import ModelFault, ModelServerError, ModelUnreachable
from selfplay_core.llm.address import normalise_url
from selfplay_core.llm.base import ChatReply, ChatRequest
from selfplay_core.llm.faults import (
    Endpoint,
    Refusal,
    error_line_fault,
    refusal_fault,
    says_model_not_found,
    server_words,
    unwrapped,
)
from selfplay_core.llm.http import ModelHttp
from selfplay_core.llm.stream import Deadlines
from selfplay_core.llm.transcript import Transcript, count, json_object, small_object
from selfplay_core.models import ModelIdentity
from selfplay_core.text import clip, one_line

__all__ = ["OllamaChat", "normalise_url"]

_VERSION_SHOWN: Final = 100


class OllamaChat:
    """A model behind an Ollama server; any number of tasks may chat at once.

    `think` is sent always, since leaving it out switches thinking on. `num_ctx` (None: the server's default)
    is the same for every request: another value makes the server load the model anew.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        think: bool | str = False,
        num_ctx: int | None = 8192,
        keep_alive: str = "10m",
        connect_seconds: float = 5,
        first_byte_seconds: float = 300,
        stall_seconds: float = 60,
        total_seconds: float = 600,
        proxy: str | None = None,
    ) -> None:
        self._endpoint = Endpoint(
            url=normalise_url(url),
            model=model,
            start="Start it with `ollama serve`, or correct its address.",
            fetch=f"Fetch it with `ollama pull {clip(one_line(model), 60)}`, or choose another model.",
        )
        self._think = think
        self._runner: dict[str, object] = {} if num_ctx is None else {"num_ctx": num_ctx}
        self._keep_alive = keep_alive
        deadlines = Deadlines(connect_seconds, first_byte_seconds, stall_seconds, total_seconds)
        self._http = ModelHttp(self._endpoint, deadlines, proxy=proxy)

    async def identify(self) -> ModelIdentity:
        """Ask for version, presence and digest; raises ModelUnreachable or ModelNotFound.

        Any HTTP answer means that the server is there: of an Ollama-shaped one that knows /api/chat alone,
        version and digest stay unknown.
        """
        version = await self._http.ask("GET", "/api/version")
        await self._check_presence()
        return ModelIdentity(
            kind="ollama",
            name=self._endpoint.model,
            digest=await self._digest(),
            server_version=_text(small_object(version.body).get("version")),
        )

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return one whole reply; raises a `ModelFault` that holds what had come before it."""
        reading = _Reading(self._endpoint)
        try:
            refusal = await self._http.post_lines("/api/chat", self._body(request), reading.feed)
            if refusal is not None:
                raise refusal_fault(refusal, self._endpoint)
            return reading.transcript.reply(reading.ended, max_tokens=request.max_tokens)
        except ModelFault as fault:
            fault.partial, fault.thinking = reading.transcript.said()
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def _body(self, request: ChatRequest) -> dict[str, object]:
        return {
            "model": self._endpoint.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "stream": True,
            "format": request.schema,
            "think": self._think,
            "keep_alive": self._keep_alive,
            "options": {
                **self._runner,
                "temperature": request.temperature,
                "seed": request.seed,
                "num_predict": request.max_tokens,
            },
        }

    async def _check_presence(self) -> None:
        path = "/api/show"
        try:
            shown = await self._http.ask("POST", path, {"model": self._endpoint.model})
        except ModelUnreachable:
            return
        if shown.status != 404:
            return
        refusal = Refusal(self._endpoint.url + path, shown.status, server_words(shown.body))
        if says_model_not_found(refusal.words):
            raise refusal_fault(refusal, self._endpoint)

    async def _digest(self) -> str:
        try:
            listed = await self._http.ask("GET", "/api/tags")
        except ModelUnreachable:
            return ""
        models = small_object(listed.body).get("models")
        wanted = (self._endpoint.model, f"{self._endpoint.model}:latest")
        for entry in models if isinstance(models, list) else []:
            if isinstance(entry, dict) and (entry.get("name") in wanted or entry.get("model") in wanted):
                return _text(entry.get("digest"))
        return ""


class _Reading:
    """The lines of one streamed reply; `ended` is the done reason once the server has said `done: true`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.transcript = Transcript(endpoint.source)
        self.ended: str | None = None

    def feed(self, line: bytes) -> bool:
        """Take one line and tell whether it was the last; raises a `ModelFault`."""
        if not line.strip():
            return False
        chunk = json_object(line, self._endpoint.source)
        if error := chunk.get("error"):
            raise error_line_fault(unwrapped(error), self._endpoint)
        message = chunk.get("message")
        if isinstance(message, dict):
            self.transcript.add(message.get("content"), message.get("thinking"))
        elif message is not None:
            raise ModelServerError(
                f"{self._endpoint.source} sent a message that is no object. Check that the server speaks Ollama's API."
            )
        # Anything but true itself is not the end: a stream that was given up carries `done: false`.
        if chunk.get("done") is not True:
            return False
        self.transcript.prompt_tokens = count(chunk.get("prompt_eval_count"))
        self.transcript.output_tokens = count(chunk.get("eval_count"))
        reason = chunk.get("done_reason")
        self.ended = reason if isinstance(reason, str) else ""
        return True


def _text(value: object) -> str:
    return clip(one_line(value), _VERSION_SHOWN) if isinstance(value, str) else ""
