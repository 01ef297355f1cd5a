"""Setting a run anew while it goes on: focus, how much at once, how many retries."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.app import ComposeResult

from selfplay_core.engine.steering import Steer
from selfplay_core.engine.tuning import Tuning, check_tuning
from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES
from tui.drawing.lines import BLANK, Line, Span, span
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.screens.working import WorkingScreen
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["TuneScreen"]

_FOCUSES: tuple[str | None, ...] = (None, *CATEGORY_NAMES)
_NOT_YET = "The run has not started yet, so nothing of it can be set anew. Wait a moment."
_ABOUT = (
    ("focus", "from the next round on that is written"),
    ("concurrency", "prompts at once"),
    ("retries", "from the next attempt on"),
)


class TuneScreen(WorkingScreen[None]):
    """Three values that keys change; nothing holds until it is applied."""

    SCREEN = "tune"
    BINDINGS = bindings_of("tune")

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.tuning: Tuning | None = None
        self._row = 0

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        yield Lines(id="news")

    def on_mount(self) -> None:
        self.body().set_title((Span(" Tune the run ", "title"),))
        self.begin(self._ask)
        self._show()

    def action_next(self) -> None:
        self._choose(self._row + 1)

    def action_previous(self) -> None:
        self._choose(self._row - 1)

    def action_more(self) -> None:
        self._change(1)

    def action_less(self) -> None:
        self._change(-1)

    def action_apply(self) -> None:
        # Only what the run is known to do can be changed: applied values are all sent.
        self.begin(self._ask if self.tuning is None else partial(self._apply, self.tuning))

    def action_back(self) -> None:
        if not self.cancel() or self.tuning is None:
            self.finish(None)

    def action_choose_row(self, row: int) -> None:
        self._choose(row)

    def action_open_gates(self) -> None:
        if not self.bench.state.live.closed:
            self.tell("No category is closed, so there is none to open again.", "warn")
            return
        self.begin(self._reopen)

    async def _reopen(self) -> None:
        trouble = await self.bench.runner.steer(Steer("reopen"))
        closed = ", ".join(self.bench.state.live.closed)
        self.tell(trouble or f"Asked for again from the next round on: {closed}.", "bad" if trouble else "info")

    async def _ask(self) -> None:
        """Learn what the run does, in whichever process it is."""
        self.tell(f"asking{self.bench.glyphs.more}")
        standing = await self.bench.runner.standing()
        self.tuning = standing.tuning
        trouble = standing.error or ("" if standing.tuning is not None else _NOT_YET)
        again = f" {self.keymap.shown('apply')} asks again." if trouble else ""
        self.tell(f"{trouble}{again}", "bad")
        self._show()

    async def _apply(self, wanted: Tuning) -> None:
        self.tell(f"Telling the run{self.bench.glyphs.more}")
        trouble = await self.bench.runner.steer(Steer("tune", wanted))
        if trouble:
            self.tell(trouble, "bad")
            return
        focus = wanted.focus or "every category"
        told = f"The run goes on with {focus}, {wanted.concurrency} at once, {wanted.max_retries} retries."
        self.bench.state.tell(told, self.bench.clock())
        self.finish(None)

    def _choose(self, row: int) -> None:
        self._row = row % len(_ABOUT)
        self._show()

    def _change(self, steps: int) -> None:
        if self.is_busy:
            self.tell_busy()
            return
        if self.tuning is None:
            return
        wanted = _changed(self.tuning, self._row, steps)
        try:
            check_tuning(wanted)
        except SettingsError as error:
            self.tell(str(error), "bad")
            return
        self.tuning = wanted
        self.tell("")
        self._show()

    def _show(self) -> None:
        if is_left(self):
            return
        self.body().show(self._lines)

    def _lines(self, _: int) -> list[Line]:
        values = _values(self.tuning) if self.tuning is not None else ("", "", "")
        lines: list[Line] = [BLANK]
        for row, ((name, about), value) in enumerate(zip(_ABOUT, values, strict=True)):
            lines.append(self._value_line(row, name, value, about))
        return [*lines, *self._closed_lines()]

    def _closed_lines(self) -> list[Line]:
        """Say of which categories hardly anything comes, and how they are asked for again."""
        closed = self.bench.state.live.closed
        if not closed:
            return []
        key = self.keymap.shown("open_gates")
        head: Line = (Span("  hardly anything is won in", "warn"), Span(f"   {key} asks for them again", "dim"))
        return [BLANK, head, *((Span("  "), span(f"{name}: {told}")) for name, told in closed.items())]

    def _value_line(self, row: int, name: str, value: str, about: str) -> Line:
        is_chosen = row == self._row
        sign = Span(f"{self.bench.glyphs.cursor if is_chosen else ' '} ", "key", f"choose_row({row})")
        less, more = ("<", ">") if is_chosen else (" ", " ")
        return (
            sign,
            Span(f"{name:<12} ", "strong" if is_chosen else "text", f"choose_row({row})"),
            Span(f" {less} ", "key", "less" if is_chosen else f"choose_row({row})"),
            Span(f"{value:<20}", "info" if is_chosen else "text", f"choose_row({row})"),
            Span(f" {more} ", "key", "more" if is_chosen else f"choose_row({row})"),
            Span(f" {about}", "dim"),
        )


def _values(tuning: Tuning) -> tuple[str, str, str]:
    return (tuning.focus or "every category", str(tuning.concurrency), str(tuning.max_retries))


def _changed(tuning: Tuning, row: int, steps: int) -> Tuning:
    if row == 0:
        place = (_FOCUSES.index(tuning.focus) + steps) % len(_FOCUSES) if tuning.focus in _FOCUSES else 0
        return replace(tuning, focus=_FOCUSES[place])
    if row == 1:
        return replace(tuning, concurrency=tuning.concurrency + steps)
    return replace(tuning, max_retries=tuning.max_retries + steps)
