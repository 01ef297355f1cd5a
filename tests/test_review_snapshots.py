"""How the screens look, as pictures; `pytest --snapshot-update` draws them anew, and a person looks at each change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]  # it has no types
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, TextArea

from selfplay_core.engine.session import Job
from selfplay_core.models import Decision, DecisionKind, ModelIdentity, Outcome, Trace, VerdictOutcome
from selfplay_core.store.codec import encode
from selfplay_core.store.decisions import decide
from selfplay_core.store.flags import set_flag
from selfplay_core.store.held import HeldAttempt, hold
from selfplay_core.store.log import log_position
from selfplay_core.store.rounds import PlannedPrompt, add_round
from selfplay_core.store.runs import RunRecord, RunStatus, start_run
from tests.drawing_samples import SANDBOX, corrected, unproven
from tests.review import NOW, Review, elsewhere, fill, review, review_job
from tests.samples import make_attempt, make_result, make_trace
from tui.first_run.app import FirstRunApp
from tui.keys.actions import Keymap
from tui.screens import held
from tui.state.live import Absence
from tui.state.queue import PENDING
from tui.workbench import Beginning

MODEL = ModelIdentity("ollama", "qwen3:8b", "sha256:1", "0.32")
_KEYS = {
    "statistics": "s",
    "edit": "e",
    "held": "exclamation_mark",
    "bulk": "b",
    "dataset": "B",
    "help": "question_mark",
    "settings": "comma",
    "ask": "m",
    "tune": "T",
    "copy": "y",
}
_MAIN = ("statistics", "edit", "held", "bulk", "dataset", "help", "settings")
_SIZES = ((80, 24), (120, 36), (160, 50))
_DECISIONS = {
    0: Decision(DecisionKind.ACCEPT, by="tester", at=NOW - 110),
    1: Decision(DecisionKind.REJECT, by="tester", at=NOW - 80, reason="unsafe"),
    2: Decision(DecisionKind.ACCEPT, by="tester", at=NOW - 50),
    4: Decision(DecisionKind.SKIP, by="tester", at=NOW - 20),
}


@pytest.fixture(autouse=True)
def steady_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Cursors do not blink, the time of day is that of Greenwich, files lie here, and nothing is probed by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(held, "_PROBE_AFTER", 3_600.0)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    monkeypatch.setattr(TextArea, "_toggle_cursor_blink_visible", lambda self: None)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with the picture of the test's name."""
    return snapshot.use_extension(SVGImageExtension)


def a_workspace(folder: Path) -> Job:
    """A workspace of the sandbox with an example of each kind; its files are named without the folder."""
    job = replace(review_job(folder), workspace=Path("workspace"), output=Path("self_play.jsonl"))
    fill(job, [replace(trace, world=SANDBOX, model=MODEL) for trace in _traces()])
    with elsewhere(job) as database:
        for slot, decision in _DECISIONS.items():
            decide(database, f"t{slot}", decision)
        set_flag(database, "t7", True, by="tester", at=NOW)
    return job


def _traces() -> list[Trace]:
    asked = (
        ("edge_items", "sudo put a lever on every iron door near me", "setblock ~ ~1 ~ minecraft:lever[face=wall]"),
        ("boundary_testing", "sudo freeze the time at dusk", "time set 12000"),
        ("edge_items", "sudo give me a full set of diamond armor", "give @s minecraft:diamond_chestplate 1"),
        ("worldedit", "pray fill the moat with water", "fill 0 60 0 9 62 9 minecraft:water"),
        ("entity_nbt", "sudo summon a ring of 12 armor stands", "summon minecraft:armor_stand ~3 ~ ~"),
        ("multiplayer", "sudo clear the weather and keep it so", "weather clear"),
    )
    plain = [
        make_trace(
            make_attempt(1, make_result(command, reply="Done."), reasoning="One command does it."),
            text=text,
            category=category,
        )
        for category, text, command in asked
    ]
    failed = make_trace(
        make_attempt(
            1, make_result("bossbar set minecraft:hp players @p[", VerdictOutcome.REJECTED, reply="Expected end")
        ),
        outcome=Outcome.FAILED,
        text="sudo a boss bar that follows me",
        category="cosmetic_effects",
    )
    return [*plain, corrected(), unproven(), failed, *plain[2:5]]


async def look(opened: Review, job: Job) -> str:
    """Return the picture of the screen, once everything has been counted and fetched."""
    with elsewhere(job) as database:
        position = log_position(database)
    await opened.until(lambda: opened.bench.curator._log_seq == position and opened.state.undecided > 0)
    live = opened.state.live
    live.model, live.world, live.status, live.rounds, live.round = MODEL, SANDBOX, "running", 50, 12
    if not live.stream:
        for trace in _traces()[4:9]:
            live.follow(trace, NOW - 3.0, opened.clock())
    opened.state.decisions_at = [opened.clock() - 10.0 * step for step in range(9, -1, -1)]
    if opened.is_home:
        opened.app.review.painter.all()
    await opened.settled()
    return opened.app.export_screenshot(title="selfplay-tui")


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", _SIZES, ids=_named)
async def test_review(tmp_path: Path, picture: SnapshotAssertion, size: tuple[int, int]) -> None:
    """The review screen on an example that needed a retry, among decided, skipped, flagged and marked ones."""
    job = a_workspace(tmp_path)
    async with review(job, size=size) as opened:
        await _on_the_retried_one(opened)
        assert await look(opened, job) == picture


async def test_review_in_light(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """The same in the light theme."""
    job = a_workspace(tmp_path)
    async with review(job) as opened:
        await _on_the_retried_one(opened)
        opened.app.theme = "selfplay-light"
        assert await look(opened, job) == picture


async def test_review_with_a_server_away(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """An absence in the header and at the end of the stream, with its countdown."""
    job = a_workspace(tmp_path)
    async with review(job) as opened:
        reason = "The server at 127.0.0.1:25575 refused the connection. Start it, or correct its address."
        away = Absence("The Minecraft server", reason, opened.clock() - 21.0, opened.clock() + 8.0)
        opened.state.live.absences["x"] = away
        assert await look(opened, job) == picture


async def test_review_over_the_example(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """In 80 columns the prompts lie over the example."""
    job = a_workspace(tmp_path)
    async with review(job, size=(80, 24)) as opened:
        await opened.press("left_square_bracket")
        assert await look(opened, job) == picture


async def test_review_at_its_smallest(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """The smallest terminal that is drawn in."""
    job = a_workspace(tmp_path)
    async with review(job, size=(60, 16)) as opened:
        await _on_the_retried_one(opened)
        assert await look(opened, job) == picture


async def test_review_with_nothing_to_review(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """A filter that lets nothing through."""
    job = a_workspace(tmp_path)
    async with review(job) as opened:
        await opened.press("slash")
        await opened.type("zebra")
        opened.state.notice = None
        assert await look(opened, job) == picture


@pytest.mark.parametrize(
    ("name", "size"),
    [*((name, size) for name in _MAIN for size in _SIZES), *((name, (120, 36)) for name in _KEYS if name not in _MAIN)],
    ids=lambda one: one if isinstance(one, str) else _named(one),
)
async def test_other_screens(tmp_path: Path, picture: SnapshotAssertion, name: str, size: tuple[int, int]) -> None:
    """Each screen that a key opens, over the same workspace: the main ones at every size."""
    job = a_workspace(tmp_path)
    if name == "held":
        _hold_some(job)
    async with review(job, size=size) as opened:
        await _on_the_retried_one(opened)
        await look(opened, job)
        await opened.press(_KEYS[name])
        opened.clock.seconds += 1.0
        await opened.pilot.pause(0.4)
        if name == "held":
            await opened.until(lambda: "keys are open" in opened.text())
        assert await look(opened, job) == picture


async def test_confirmation(tmp_path: Path, picture: SnapshotAssertion) -> None:
    """The counted question before many are decided."""
    job = a_workspace(tmp_path)
    async with review(job) as opened:
        await look(opened, job)
        await opened.press("x", "x", "A")
        opened.clock.seconds += 1.0
        await opened.pilot.pause(0.5)
        assert await look(opened, job) == picture


async def test_first_run(tmp_path: Path, picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person sees who starts for the first time."""
    job = review_job(tmp_path)
    place = Path("selfplay-sandbox")
    app = FirstRunApp(Beginning(replace(job, workspace=place, output=place / "self_play.jsonl"), {}, Keymap({})))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.2)
        assert app.export_screenshot(title="selfplay-tui") == picture


async def _on_the_retried_one(opened: Review) -> None:
    opened.state.filter_text = ""
    queue = opened.state.queue
    place = queue.place_of(7)
    assert place is not None
    queue.chosen = {9, 10}
    opened.app.review.looking.go(place)
    assert queue.marks[place] == PENDING
    await opened.settled()


def _hold_some(job: Job) -> None:
    """Park attempts as the engine does."""
    _park(
        job,
        [
            _asking("sudo kill every mob", "entity_nbt", "time set day", "kill @e[type=!player]"),
            _asking("sudo make the world smaller", "worldedit", "worldborder set 10"),
        ],
    )


def _asking(text: str, category: str, *commands: str) -> Trace:
    asks = make_trace(
        make_attempt(1, *(make_result(command, reply="") for command in commands)),
        text=text,
        category=category,
        world=SANDBOX,
    )
    return replace(asks, attempts=(replace(asks.attempts[0], results=()),), outcome=Outcome.BLOCKED, model=MODEL)


def _park(job: Job, traces: list[Trace]) -> None:
    placed = [
        replace(trace, id=f"h{slot}", prompt=replace(trace.prompt, slot=slot)) for slot, trace in enumerate(traces)
    ]
    with elsewhere(job) as database:
        start_run(database, RunRecord("h", 7, "f", 1, RunStatus.RUNNING, 1000.0, "{}"))
        categories = sorted({trace.prompt.category for trace in placed})
        add_round(database, "h", 0, categories, [PlannedPrompt(trace.id, trace.prompt) for trace in placed])
        for trace in placed:
            hold(database, HeldAttempt(trace.id, "h", trace.prompt, encode(trace).encode(), NOW - 40.0))
