"""Five OpenAI-shaped servers, each as strict and as odd as the real one, in front of one scripted model that thinks.

What each takes, refuses and sends is what docs/models.md says of it. A model that is left to think spends its whole
limit on thought before it says a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.servers.ollama import FakeOllama, Reply, event, fail

__all__ = ["KINDS", "THOUGHT", "Kind", "serve"]

THOUGHT: Final = "Hm, a torch."
_LOADED: Final = ("theirs",)

Speaker = Callable[[dict[str, Any]], str]
"""What a model says to a body in Ollama's shape: model, messages, the schema under `format`, the seed in `options`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One server: `forms` are the types of response format that it takes, `thinks` whether a body lets it think.

    `refuse` returns its error of a status and a text, `field` is where its thoughts come, None for the content.
    """

    name: str
    forms: frozenset[str]
    thinks: Callable[[Mapping[str, Any]], bool]
    field: str | None
    refuse: Callable[[int, str], Reply]
    wrong_form: Callable[[str], Reply]
    wrong_effort: frozenset[str] = frozenset()
    routes: Callable[[], dict[str, Reply]] = dict
    tells_usage: bool = True
    last: Callable[[], dict[str, Any]] = dict
    line_end: str = "\n"
    always_thinks_aloud: bool = False


def serve(kind: Kind, say: Speaker, *, models: Sequence[str] = _LOADED) -> FakeOllama:
    """Return the server of these models; a request that the real one would refuse is refused as it would."""

    def script(body: dict[str, Any]) -> Reply:
        if body.get("model") not in models and kind.name != "llama-cpp-python":
            return kind.refuse(404, f"model '{body.get('model')}' not found")
        wanted = body["response_format"]
        if wanted["type"] not in kind.forms:
            return kind.wrong_form(wanted["type"])
        if (effort := body.get("reasoning_effort")) in kind.wrong_effort:
            return kind.refuse(400, f"invalid reasoning value: '{effort}'")
        assert body["stream"] is True
        schema = wanted["schema"] if wanted["type"] == "json_object" else wanted["json_schema"]["schema"]
        asked = {"model": body["model"], "messages": body["messages"], "format": schema}
        said = say({**asked, "options": {"seed": body["seed"]}})
        return Reply(tuple(_events(kind, body, said)), content_type="text/event-stream")

    listed = {"object": "list", "data": [{"id": name, "object": "model", "owned_by": kind.name} for name in models]}
    return FakeOllama(script, routes={**_nothing_of_ollama(kind), "/v1/models": fail(200, listed), **kind.routes()})


def _events(kind: Kind, body: Mapping[str, Any], said: str) -> Iterator[bytes]:
    def sent(data: dict[str, Any] | str) -> bytes:
        return event(data).replace(b"\n", kind.line_end.encode())

    thinks = kind.thinks(body)
    yield sent(_chunk({"role": "assistant", "content": None}))
    if thinks or kind.always_thinks_aloud:
        yield sent(_chunk({kind.field: THOUGHT} if kind.field else {"content": f"<think>{THOUGHT}</think>"}))
    if not thinks:
        half = len(said) // 2
        yield sent(_chunk({"content": said[:half]}))
        yield f": ping{kind.line_end}{kind.line_end}".encode()
        yield sent(_chunk({"content": said[half:]}))
    yield sent({**_chunk({}, "length" if thinks else "stop"), **kind.last()})
    if kind.tells_usage and body.get("stream_options", {}).get("include_usage"):
        yield sent({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}})
    yield sent("[DONE]")


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _nothing_of_ollama(kind: Kind) -> dict[str, Reply]:
    if kind.name == "LM Studio":
        odd = {"error": "Unexpected endpoint or method. (GET /api/version)"}
        return {path: fail(200, odd) for path in ("/api/version", "/api/show", "/api/tags")}
    nothing = fail(404, {"detail": "Not Found"})
    return dict.fromkeys(("/api/version", "/api/show", "/api/tags"), nothing)


def _as_object(status: int, text: str) -> Reply:
    return fail(status, {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": status}})


def _as_string(status: int, text: str) -> Reply:
    return fail(status, {"error": text})


def _by_template(body: Mapping[str, Any]) -> bool:
    return bool(body.get("chat_template_kwargs", {}).get("enable_thinking", True))


def _by_effort(body: Mapping[str, Any]) -> bool:
    return body.get("reasoning_effort") != "none"


def _of_llama_server(body: Mapping[str, Any]) -> bool:
    return _by_template(body) and _by_effort(body)


def _never(body: Mapping[str, Any]) -> bool:
    return False


def _pydantic(form: str) -> Reply:
    where = f"{{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'input': '{form}'}}"
    error = {"message": f"1 validation error:\n  {where}", "type": "internal_server_error", "param": None, "code": None}
    return fail(500, {"error": error})


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "llama-server",
            forms=frozenset(("json_schema", "json_object", "text")),
            thinks=_of_llama_server,
            field="reasoning_content",
            refuse=_as_object,
            wrong_form=lambda form: _as_object(400, f"invalid response_format {form}"),
            last=lambda: {"timings": {"predicted_n": 7, "predicted_per_second": 40.0}},
        ),
        Kind(
            "vLLM",
            forms=frozenset(("json_schema", "text")),
            thinks=_by_template,
            field="reasoning",
            refuse=_as_object,
            wrong_form=lambda form: _as_object(400, f"response_format {form} holds no schema here"),
            wrong_effort=frozenset(("none", "max")),
        ),
        Kind(
            "LM Studio",
            forms=frozenset(("json_schema", "text")),
            thinks=_never,
            field="reasoning_content",
            refuse=_as_string,
            wrong_form=lambda form: _as_string(400, "'response_format.type' must be 'json_schema' or 'text'"),
            always_thinks_aloud=True,
        ),
        Kind(
            "llama-cpp-python",
            forms=frozenset(("json_object", "text")),
            thinks=_never,
            field=None,
            refuse=_as_object,
            wrong_form=_pydantic,
            tells_usage=False,
            line_end="\r\n",
            always_thinks_aloud=True,
        ),
        Kind(
            "Ollama",
            forms=frozenset(("json_schema", "text")),
            thinks=_by_effort,
            field="reasoning",
            refuse=_as_object,
            wrong_form=lambda form: _as_object(400, f"{form} holds no schema here"),
            wrong_effort=frozenset(("max",)),
            routes=lambda: {"/api/version": fail(200, {"version": "0.32.1"})},
        ),
    )
}
