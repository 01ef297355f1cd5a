"""Everything that can be set, section by section, with its defaults."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

__all__ = [
    "CapSettings",
    "LlmSettings",
    "PolicySettings",
    "RconSettings",
    "ReviewSettings",
    "RunSettings",
    "Secret",
    "Section",
    "Settings",
    "VerifySettings",
    "WorldSettings",
    "without_secrets",
]


Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
PlayerName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]{1,16}\Z")]


_USERINFO = re.compile(r"//[^/@]*@")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the settings file; an unknown key in it is an error."""


class LlmSettings(Section, frozen=True):
    """The model server; `kind` auto becomes ollama once a url or a model is set."""

    kind: Literal["auto", "sandbox", "ollama", "openai"] = "auto"
    url: str = ""
    model: str = ""
    think: bool | Literal["low", "medium", "high"] = False
    num_ctx: Annotated[int, msgspec.Meta(ge=512)] | None = 8192
    max_tokens: Annotated[int, msgspec.Meta(ge=16, le=131_072)] = 1024
    keep_alive: str = "10m"
    proxy: str = ""
    connect_seconds: Seconds = 5.0
    first_byte_seconds: Seconds = 300.0
    stall_seconds: Seconds = 60.0
    total_seconds: Seconds = 600.0


class RconSettings(Section, frozen=True):
    """Where the server's remote console listens; the password is a secret and no setting."""

    host: Annotated[str, msgspec.Meta(pattern=r"^\S+\Z")] = "127.0.0.1"
    port: Port = 25575
    tls: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0
    connect_seconds: Seconds = 5.0
    command_seconds: Seconds = 30.0


class WorldSettings(Section, frozen=True):
    """The ground truth; `kind` auto becomes rcon once an rcon setting is made.

    The first of `players` is the one who speaks. `setup` and `cleanup` run around every attempt,
    `round_setup` and `round_cleanup` around every round.
    """

    kind: Literal["auto", "sandbox", "rcon"] = "auto"
    players: Annotated[tuple[PlayerName, ...], msgspec.Meta(min_length=1)] = (
        "slingshooter08",
        "SwiftWolf",
        "DarkWolf",
        "BraveWolf",
    )
    setup: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()
    round_setup: tuple[str, ...] = ()
    round_cleanup: tuple[str, ...] = ()
    worldedit: bool = True


class VerifySettings(Section, frozen=True):
    """How far the server is trusted, and what its failures mean.

    A failure's meaning is `retry` (the model's mistake), `unproven` (nobody's), or, for `nothing_changed`,
    `proven` (executed, as a no-op). `canary_minutes` is how often the canaries are checked while a run goes on.
    """

    as_player: PlayerName | None = None
    language: str = ""
    allow_players: bool = False
    canary_minutes: Annotated[float, msgspec.Meta(gt=0, le=1440)] = 5.0
    nobody: Literal["unproven", "retry"] = "unproven"
    not_loaded: Literal["unproven", "retry"] = "unproven"
    needs_player: Literal["unproven", "retry"] = "unproven"
    nothing_changed: Literal["proven", "unproven", "retry"] = "proven"
    other: Literal["unproven", "retry"] = "retry"


class PolicySettings(Section, frozen=True):
    """Rules of your own: each the beginning of a command (`effect clear`); the hard deny list stands above them."""

    deny: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


class CapSettings(Section, frozen=True):
    """The most that one run may do to the world, as far as its commands say it; null is without limit."""

    entities: Annotated[int, msgspec.Meta(ge=0)] | None = 5_000
    blocks: Annotated[int, msgspec.Meta(ge=0)] | None = 2_000_000
    commands_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None


class RunSettings(Section, frozen=True):
    """What a run does; `rounds`, `on_ask` and `accept` are None where nobody named them.

    What holds then depends on whether a person is there: see `engine.plan.plan_run`. `weights` multiply how likely a
    category is drawn.
    """

    rounds: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    focus: str | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=512)] = 1
    max_retries: Annotated[int, msgspec.Meta(ge=0, le=20)] = 2
    categories_per_round: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    prompts_per_category: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    sampler: Literal["gated", "weakest", "uniform"] = "gated"
    weights: dict[str, Annotated[float, msgspec.Meta(ge=0, le=1000)]] = {}
    execute: Literal["run", "probe"] = "run"
    on_ask: Literal["deny", "probe"] | None = None
    accept: Literal["verified", "parsed", "none"] | None = None
    give_up: str = "15m"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class ReviewSettings(Section, frozen=True):
    """The review screen: who decides, how it looks, and which keys do what; a run knows nothing of it.

    A blank `operator` is the login name, a blank `editor` what the shell names. `keys` maps the name of an
    action to its keys, parted by commas.
    """

    operator: str = ""
    theme: Literal["dark", "light", "ansi"] = "dark"
    ascii: bool = False
    mouse: bool = True
    editor: str = ""
    keys: dict[str, str] = {}


class Settings(Section, frozen=True):
    """Everything that can be set, section by section."""

    llm: LlmSettings = LlmSettings()
    rcon: RconSettings = RconSettings()
    world: WorldSettings = WorldSettings()
    verify: VerifySettings = VerifySettings()
    policy: PolicySettings = PolicySettings()
    caps: CapSettings = CapSettings()
    run: RunSettings = RunSettings()
    review: ReviewSettings = ReviewSettings()

    @property
    def is_sandbox(self) -> bool:
        """Whether the embedded default plays the model or the world: such data stay in a sandbox workspace."""
        return self.llm.kind == "sandbox" or self.world.kind == "sandbox"


class Secret:
    """A password or a key that shows itself to nobody but `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


def without_secrets(settings: Settings) -> Settings:
    """Return the settings without the name and password that an address may hold."""
    llm = settings.llm
    bare = {name: _USERINFO.sub("//…@", getattr(llm, name)) for name in ("url", "proxy")}
    return msgspec.structs.replace(settings, llm=msgspec.structs.replace(llm, **bare))
