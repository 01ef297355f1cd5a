"""A model and a console without sockets, for the rules of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from selfplay_core.categories import load_texts
from selfplay_core.engine.asking import Asker
from selfplay_core.engine.control import Control
from selfplay_core.engine.conversation import Speaker
from selfplay_core.engine.outage import Outage
from selfplay_core.engine.plan import RunPlan
from selfplay_core.engine.solver import Solver
from selfplay_core.events import Event
from selfplay_core.llm.base import ChatReply, ChatRequest
from selfplay_core.models import CATEGORY_NAMES, Mode, ModelIdentity, Prompt
from selfplay_core.verify.verifier import Conduct, Verifier

__all__ = [
    "PLAYERS",
    "ScriptedChat",
    "ScriptedConsole",
    "answer",
    "make_plan",
    "make_prompt",
    "make_solver",
    "reply",
]

PLAYERS = ("slingshooter08", "SwiftWolf", "DarkWolf", "BraveWolf")

Said = ChatReply | Exception


def reply(content: str, thinking: str = "") -> ChatReply:
    """A reply that ended in good order."""
    return ChatReply(content, thinking, prompt_tokens=10, output_tokens=5, seconds=0.1)


def answer(*commands: str, reasoning: str = "Because.", message: str | None = None) -> ChatReply:
    """A well-typed answer."""
    body: dict[str, object] = {"commands": list(commands), "reasoning": reasoning}
    if message is not None:
        body["message"] = message
    return reply(orjson.dumps(body).decode())


class ScriptedChat:
    """Says what the script says; an exception in it is raised."""

    def __init__(self, script: Callable[[ChatRequest], Said] | Sequence[Said]) -> None:
        if callable(script):
            self._script = script
        else:
            left = list(script)
            self._script = lambda request: left.pop(0)
        self.requests: list[ChatRequest] = []

    async def identify(self) -> ModelIdentity:
        return ModelIdentity("ollama", "scripted")

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        said = self._script(request)
        if isinstance(said, Exception):
            raise said
        return said

    async def aclose(self) -> None:
        return


class ScriptedConsole:
    """Answers commands from a function; an exception from it is raised and breaks the connection."""

    def __init__(self, handler: Callable[[str], str | Exception], *, version: str = "") -> None:
        self._handler = handler
        self._version = version
        self.commands: list[str] = []
        self.opened = 0
        self.refusals: list[Exception] = []
        self._connected = False

    @property
    def connected(self) -> bool:
        return self._connected

    async def open(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.opened += 1
        self._connected = True

    async def command(self, text: str) -> str:
        if text == "version":
            return self._version
        self.commands.append(text)
        said = self._handler(text)
        if isinstance(said, Exception):
            self._connected = False
            raise said
        return said

    async def aclose(self) -> None:
        self._connected = False


def make_plan(**changes: object) -> RunPlan:
    """A plan with short waits."""
    fields: dict[str, object] = {
        "rounds": 1,
        "seed": 7,
        "categories": CATEGORY_NAMES,
        "categories_per_round": 3,
        "prompts_per_category": 5,
        "max_retries": 2,
        "max_tokens": 256,
        "concurrency": 1,
        "players": PLAYERS,
        "execute": "run",
        "on_ask": "deny",
        "accept": "verified",
        "give_up": 60.0,
    }
    return RunPlan(**{**fields, **changes})  # type: ignore[arg-type]  # the changes are the test's own words


def make_prompt(text: str = "sudo give me a torch", category: str = "edge_items") -> Prompt:
    """A prompt of the first round."""
    return Prompt(text, category, Mode.GOD if text.startswith("pray") else Mode.SUDO, 0, 0)


def make_solver(
    chat: ScriptedChat,
    console: ScriptedConsole,
    *,
    plan: RunPlan | None = None,
    events: list[Event] | None = None,
    control: Control | None = None,
    conduct: Conduct | None = None,
) -> Solver:
    """A solver on the fakes."""
    used_plan = plan or make_plan()
    used_control = control or Control()
    announce = (events if events is not None else []).append
    model_outage = Outage("The model", give_up=used_plan.give_up, control=used_control, announce=announce)
    return Solver(
        asker=Asker(chat, slots=used_plan.concurrency, outage=model_outage, control=used_control),
        verifier=Verifier(console, conduct),
        world_outage=Outage("The server", give_up=used_plan.give_up, control=used_control, announce=announce),
        texts=load_texts(),
        speaker=Speaker(PLAYERS, "1.21"),
        plan=used_plan,
        model=ModelIdentity("ollama", "scripted"),
        control=used_control,
        announce=announce,
    )
