"""The nouns of a run: what was asked, what the model answered, what the server showed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = [
    "AUTO",
    "CATEGORY_NAMES",
    "IMPORTED",
    "SANDBOX_MODELS",
    "SANDBOX_NAME",
    "SANDBOX_RESET",
    "UNKNOWN_VERSION",
    "Action",
    "Answer",
    "Attempt",
    "CommandResult",
    "Decision",
    "DecisionKind",
    "FailedBecause",
    "Level",
    "Mode",
    "ModelIdentity",
    "Outcome",
    "Prompt",
    "Row",
    "Ruling",
    "Trace",
    "TraceId",
    "Verdict",
    "VerdictOutcome",
    "WorldIdentity",
    "WorldKind",
    "workspace_kind",
]

TraceId = str

UNKNOWN_VERSION: Final = "1.21.x"
"""Which game version is spoken of where a server does not tell its own."""

AUTO: Final = "auto"
"""Who decides where no person does."""

SANDBOX_NAME: Final = "selfplay-sandbox"
"""What the embedded model and the embedded server call themselves."""

SANDBOX_MODELS: Final = (SANDBOX_NAME, f"{SANDBOX_NAME}-mini")
"""The embedded models, of which the second errs more often."""

SANDBOX_RESET: Final = "sandbox reset"
"""The one command that no other server has: the sandbox's world is as it was at its beginning."""

CATEGORY_NAMES: Final = (
    "enchantment_combos",
    "entity_nbt",
    "execute_chains",
    "edge_items",
    "worldedit",
    "multiplayer",
    "boundary_testing",
    "natural_language",
    "cosmetic_effects",
)
"""The nine themes of edge cases; their texts are `categories`' business."""

IMPORTED: Final = "imported"
"""The category of prompts of which none is known, and the model of answers of which none is: both came from a file."""


class Mode(StrEnum):
    """The persona that a prompt addresses; the prefix `pray` asks the god."""

    SUDO = "sudo"
    GOD = "god"


class VerdictOutcome(StrEnum):
    """What one reply of the server means."""

    PASSED = "passed"
    REJECTED = "rejected"
    FAILED = "failed"
    UNCLEAR = "unclear"


class FailedBecause(StrEnum):
    """Why a command that parsed could not be carried out."""

    NOBODY = "nobody"
    NOTHING_CHANGED = "nothing_changed"
    NOT_LOADED = "not_loaded"
    NEEDS_PLAYER = "needs_player"
    OTHER = "other"


class Level(StrEnum):
    """What was shown of a command, no more: none < parsed < executed."""

    NONE = "none"
    PARSED = "parsed"
    EXECUTED = "executed"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS: Final = {level: place for place, level in enumerate(Level)}


class Action(StrEnum):
    """What the policy rules for a command."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Outcome(StrEnum):
    """How a trace ended."""

    SOLVED = "solved"
    CORRECTED = "corrected"
    REFUSED = "refused"
    UNPROVEN = "unproven"
    FAILED = "failed"
    BLOCKED = "blocked"
    ERRORED = "errored"


class DecisionKind(StrEnum):
    """What a person, or the automatic acceptance, made of a trace."""

    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"
    SKIP = "skip"


class WorldKind(StrEnum):
    """Whether the ground truth was a real server or the embedded sandbox."""

    SANDBOX = "sandbox"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a player types, and where in the run it was asked.

    `slot` counts within the round. `category` is a name of `categories`.
    """

    text: str
    category: str
    mode: Mode
    round: int
    slot: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The decoded reply of the model; `message` is None outside god mode."""

    commands: tuple[str, ...]
    reasoning: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reply of the server means.

    `because` is set for `failed` alone. `key` names the message that matched, `message` is the bare
    message without the context line, `cursor` the column that the server's parser pointed at.
    """

    outcome: VerdictOutcome
    because: FailedBecause | None = None
    key: str | None = None
    message: str = ""
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says of a command before anything is sent.

    `risk` runs from 1 (asks or speaks) to 5 (denied); `root` is the command that would run in the end.
    """

    action: Action
    reason: str
    root: str
    risk: int


@dataclass(frozen=True, slots=True)
class CommandResult:
    """One command of an attempt with the server's verbatim reply; a probe ran nothing.

    `context` is what stood before the bare command when it was sent, empty for the console itself. `risk` is that of
    the ruling by which it was let through, 0 where none is known.
    """

    command: str
    reply: str
    verdict: Verdict
    level: Level
    probed: bool = False
    context: str = ""
    risk: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer of the model with what came of it.

    `raw` is the reply verbatim and `thinking` what the model said before it. `error` tells why the reply
    was no answer (then `answer` is None), could not be sent, or met a fault in being run (then `results` is
    empty; of the last two the fault ends its trace as `errored`). `hint` is what a
    person told the model when asking for this attempt; None where nobody asked.
    """

    number: int
    raw: str
    answer: Answer | None
    error: str | None = None
    thinking: str = ""
    results: tuple[CommandResult, ...] = ()
    seconds: float = 0.0
    output_tokens: int = 0
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered, and with what, so that a row can say so."""

    kind: str
    name: str
    digest: str = ""
    server_version: str = ""


@dataclass(frozen=True, slots=True)
class WorldIdentity:
    """Which server judged: `brand` and `version` as it named itself at this connection.

    `players` are those online at the latest inspection, None if the server's list could not be read.
    """

    kind: WorldKind
    brand: str
    version: str
    players: tuple[str, ...] | None = None
    plugins: tuple[str, ...] = ()


def workspace_kind(model: ModelIdentity, world: WorldIdentity) -> WorldKind:
    """Return which kind of workspace data of this model and this world belong to."""
    return WorldKind.SANDBOX if model.name in SANDBOX_MODELS else world.kind


@dataclass(frozen=True, slots=True)
class Trace:
    """A prompt with all its attempts and how it ended: the evidence that rows are made from.

    `reason` explains an outcome without evidence of its own (`blocked`, `errored`). `system` is the system
    prompt that the model saw, `parameters` the sampling parameters of each attempt's request.
    """

    id: TraceId
    prompt: Prompt
    attempts: tuple[Attempt, ...]
    outcome: Outcome
    level: Level
    reason: str
    system: str
    model: ModelIdentity
    world: WorldIdentity
    parameters: dict[str, int | float]

    @property
    def workspace_kind(self) -> WorldKind:
        """Which kind of workspace the trace belongs to: a scripted model's answers are the sandbox's too."""
        return workspace_kind(self.model, self.world)

    @property
    def last(self) -> Attempt | None:
        """The attempt that counts, or None if the model never answered."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, slots=True)
class Decision:
    """Accept, reject, edit or skip: by whom, when (seconds since the epoch), and what was changed.

    `results` are what `world` made of the edited commands, empty where they were not run. Decisions of one
    keystroke share a `batch`, and are undone together.
    """

    kind: DecisionKind
    by: str
    at: float
    reason: str = ""
    edited: Answer | None = None
    edited_prompt: str | None = None
    results: tuple[CommandResult, ...] = ()
    world: WorldIdentity | None = None
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a training file without its newline; `id` is the hash of the row without it."""

    id: str
    line: bytes
