"""What is drawn: hostile text stays text, and looks and keys are as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from rich.cells import cell_len

from selfplay_core.engine.session import Job
from selfplay_core.errors import SettingsError
from selfplay_core.models import Decision, DecisionKind, ModelIdentity, Trace, WorldIdentity, WorldKind
from selfplay_core.store.decisions import decide
from selfplay_core.text import clean
from tests.drawing_samples import corrected, hostile, unproven
from tests.nasty import NASTY
from tests.review import Review, a_few, decision_on, elsewhere, fill, review, review_job
from tests.samples import PAPER
from tests.terminal import Terminal, controls_in
from tui.keys.actions import Keymap
from tui.state.review import Notice
from tui.widgets.pane import Pane

SCREENS: Final = ("s", "B", "comma", "question_mark", "T", "e", "m", "b", "exclamation_mark", "y")
STORABLE: Final = tuple(text.encode("utf-8", "replace").decode() for text in NASTY)
"""The nasty texts as a strict decoder lets them in: without halves of surrogate pairs."""

BRACKETS: Final = "kill @e[type=cow,distance=..10,limit=1] [/red] [@click=app.quit]x[/]"


def nasty_traces() -> list[Trace]:
    """One trace for each nasty text, which is everything in it that comes from outside."""
    traces = []
    for text in STORABLE:
        world = WorldIdentity(WorldKind.REAL, text or "x", text)
        traces.append(replace(hostile(text), model=ModelIdentity("ollama", text, text, text), world=world))
    return traces


def nasty_workspace(folder: Path) -> Job:
    """A workspace of nasty traces, half of them decided by nasty operators for nasty reasons."""
    job = review_job(folder)
    fill(job, nasty_traces())
    with elsewhere(job) as database:
        for slot, text in enumerate(STORABLE):
            if slot % 2:
                decide(database, f"t{slot}", Decision(DecisionKind.REJECT, by=text, at=2.0, reason=text))
    return job


def look_at_all(opened: Review) -> None:
    """Fail on any piece on screen that is not safe, or a line that is not as wide as its pane."""
    for pane in opened.app.screen.query(Pane):
        for y in range(pane.size.height):
            strip = pane.render_line(y)
            assert clean(strip.text) == strip.text
            assert "\n" not in strip.text
            assert "\t" not in strip.text
            assert cell_len(strip.text) == strip.cell_length <= pane.size.width


@pytest.mark.parametrize("size", [(120, 36), (60, 16)])
async def test_nasty_text_is_visible_and_harmless_in_every_pane(tmp_path: Path, size: tuple[int, int]) -> None:
    """Whatever a model, a server or an operator wrote is drawn without a control character, within its pane."""
    job = nasty_workspace(tmp_path)
    async with review(job, size=size) as opened:
        await opened.press("slash")
        await opened.type("status:any")
        await opened.press("enter")
        live = opened.state.live
        assert len(opened.state.queue) == len(STORABLE)
        for place, text in enumerate(STORABLE):
            opened.app.review.looking.go(place)
            live.model, live.world = ModelIdentity("ollama", text), WorldIdentity(WorldKind.REAL, text, text)
            live.say(1.0, "reject", text[:9], text, text)
            opened.state.notice = Notice(text, "warn", opened.clock() + 9)
            opened.app.review.painter.all()
            await opened.settled()
            assert opened.number == place + 1
            look_at_all(opened)


@pytest.mark.parametrize("key", SCREENS)
async def test_nasty_text_is_harmless_behind_every_key(tmp_path: Path, key: str) -> None:
    """Every other screen draws nasty examples without a control character, too."""
    job = review_job(tmp_path)
    text = "".join(part for part in STORABLE if len(part) < 60)
    fill(job, [hostile(text), *a_few(1)])
    async with review(job) as opened:
        await opened.press(key)
        look_at_all(opened)


async def test_brackets_are_verbatim(tmp_path: Path) -> None:
    """Selectors, and what looks like markup, stand on screen letter by letter."""
    job = review_job(tmp_path)
    fill(job, [hostile(BRACKETS)])
    async with review(job, size=(200, 60)) as opened:
        for pane in ("example", "conversation"):
            assert BRACKETS[:40] in opened.text(pane)
        await opened.press("z")
        assert BRACKETS in opened.text("example")


def test_no_byte_of_theirs_reaches_the_terminal(tmp_path: Path) -> None:
    """In a real terminal, through every example and screen, no control sequence but the app's own is written."""
    job = nasty_workspace(tmp_path)
    with Terminal(tmp_path, "review", "--workspace", str(job.workspace)) as terminal:
        terminal.wait_for("1 pending")
        terminal.write("/status:any\r")
        terminal.wait_for(f"Prompts {len(STORABLE) - len(STORABLE) // 2} of {len(STORABLE)}")
        for number in range(2, len(STORABLE) + 1):
            terminal.press("j")
            terminal.wait_for(_shows(number))
            if number == STORABLE.index("[/]") + 1:
                assert any("[/]" in line for line in terminal.screen())
        for key in ("s", "B", "?", "T", "e", "m", "b", "!", "y"):
            terminal.press(key)
            terminal.wait_for(lambda lines: not any("Prompts" in line for line in lines))
            terminal.press("escape")
            terminal.wait_for("Prompts")
        terminal.press("z", "o", "tab", "z", "g")
        terminal.wait_for("1 pending")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        assert controls_in(terminal.raw) == []


def _shows(number: int) -> Callable[[list[str]], object]:
    return lambda lines: any(f" {number} reject" in line or f" {number} pending" in line for line in lines)


async def test_what_is_pasted_into_the_filter_is_shown_safely(tmp_path: Path) -> None:
    """The filter's line shows a sign in place of each control character that a paste brings."""
    job = review_job(tmp_path)
    fill(job, a_few(1))
    async with review(job) as opened:
        await opened.press("slash")
        field = opened.app.review.query_one("#filter")
        field.value = "a\x1b[2J\x9b\u202e"  # type: ignore[attr-defined]  # an Input
        await opened.settled()
        shown = field.render_line(0).text
        assert clean(shown) == shown
        assert "a\u241b[2J" in shown


@pytest.mark.parametrize("key", ["", *SCREENS])
async def test_ascii_draws_nothing_else(tmp_path: Path, key: str) -> None:
    """With `ascii` every pane of every screen is drawn with ASCII alone, where the data are."""
    job = _with_settings(tmp_path, "[review]\nascii = true\n")
    fill(job, [_plain(corrected()), _plain(unproven()), *a_few()])
    async with review(job) as opened:
        for sign in ("accept", "reject", "held", "retry", "skip", "unclear"):
            opened.state.live.say(1.0, sign, f"{sign} \u21bb1", "say hi", "x" * 300)
        await opened.press("space", "x", "f", "r", "u", "g", *filter(None, [key]))
        text = opened.text().replace("\u240a", "")  # the sign of a line break within the data
        assert text.isascii(), [line for line in text.splitlines() if not line.isascii()]


@pytest.mark.parametrize("theme", ["dark", "light", "ansi"])
async def test_every_theme_starts(tmp_path: Path, theme: str) -> None:
    """Each theme of the settings draws the same text, and decides as well."""
    job = _with_settings(tmp_path, f'[review]\ntheme = "{theme}"\n')
    fill(job, a_few())
    async with review(job) as opened:
        assert theme in opened.app.theme
        assert "1 pending" in opened.text("example")
        await opened.press("a")
    assert decision_on(job, 1) is not None


async def test_without_colour_signs_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR the screen starts, and accepted, rejected and skipped differ by their signs."""
    monkeypatch.setenv("NO_COLOR", "1")
    job = review_job(tmp_path)
    fill(job, a_few())
    async with review(job) as opened:
        assert opened.app.no_color
        await opened.press("a", "r", "space")
        rows = opened.text("queue").splitlines()[1:5]
        assert [row[1] for row in rows] == ["\u2713", "\u2717", "\u203a", "\u00b7"]


async def test_own_keys_take_the_place_of_the_tables(tmp_path: Path) -> None:
    """A key from the settings decides, stands in the key bar and on the help page; the table's does nothing more."""
    job = _with_settings(tmp_path, '[review.keys]\naccept = "w, f5"\nyes = "t"\n')
    fill(job, a_few())
    async with review(job) as opened:
        await opened.press("a")
        assert decision_on(job, 1) is None
        await opened.press("w", "f5")
        assert decision_on(job, 2) is not None
        assert "w accept" in opened.text("keys")
        await opened.press("x", "A")
        assert "t accept" in opened.text()
        await opened.press("t")
        assert decision_on(job, 3) is not None
        await opened.press("question_mark")
        assert "w f5" in opened.text()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('accept = "r"', ("review.keys", "'r'", "accept and reject", "give one of them another")),
        ('acept = "w"', ("review.keys", "'acept'", "the actions are accept")),
        ('accept = " "', ("review.keys", "accept has no key", "give it one")),
    ],
)
def test_keys_that_cannot_be_are_refused_in_words(tmp_path: Path, line: str, words: tuple[str, ...]) -> None:
    """A key given twice, an unknown action and a missing key say what is wrong, where, and what to do; exit 2."""
    job = _with_settings(tmp_path, f"[review.keys]\n{line}\n")
    with pytest.raises(SettingsError) as refused:
        Keymap.of(job.settings.review.keys)
    with Terminal(tmp_path, "review", "--config", str(tmp_path / "own.toml")) as terminal:
        assert terminal.wait_for_end() == 2
        said = terminal.raw.decode()
    for word in words:
        assert word in str(refused.value)
        assert word in said


def _with_settings(folder: Path, text: str) -> Job:
    file = folder / "own.toml"
    file.write_text(text)
    return review_job(folder, "--config", str(file))


def _plain(trace: Trace) -> Trace:
    """The trace without the one reply of the samples that is not ASCII."""
    attempts = [
        replace(
            attempt,
            results=tuple(
                replace(result, reply=result.reply.encode("ascii", "ignore").decode()) for result in attempt.results
            ),
        )
        for attempt in trace.attempts
    ]
    return replace(trace, attempts=tuple(attempts), world=PAPER)
