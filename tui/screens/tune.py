"""Setting a run anew while it goes on: focus, how much at once, how many retries."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult

from selfplay_core.engine.steering import Steer
from selfplay_core.engine.tuning import Tuning, check_tuning
from selfplay_core.errors import SettingsError
from selfplay_core.models import CATEGORY_NAMES
from tui.bindings import bindings_of
from tui.drawing.lines import BLANK, Line, Span
from tui.screens.working import WorkingScreen
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["TuneScreen"]

_FOCUSES: tuple[str | None, ...] = (None, *CATEGORY_NAMES)
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
        run = bench.job.settings.run
        self.tuning = bench.runner.tuning or Tuning(run.focus, run.concurrency, run.max_retries)
        self._row = 0

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        yield Lines(id="news")

    def on_mount(self) -> None:
        self.body().set_title((Span("Tune the run", "title"),))
        if not self.bench.runner.is_running:
            self.tell(
                "No run is going on in this process; if another process runs one on this workspace, that one is told."
            )
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
        self.begin(self._apply())

    def action_back(self) -> None:
        if not self.cancel():
            self.finish(None)

    def action_choose_row(self, row: int) -> None:
        self._choose(row)

    async def _apply(self) -> None:
        self.tell("Telling the run" + self.bench.glyphs.more)
        trouble = await self.bench.runner.steer(Steer("tune", self.tuning))
        if trouble:
            self.tell(trouble, "bad")
            return
        focus = self.tuning.focus or "every category"
        self.bench.state.tell(
            f"The run goes on with {focus}, {self.tuning.concurrency} at once, {self.tuning.max_retries} retries.",
            self.bench.clock(),
        )
        self.finish(None)

    def _choose(self, row: int) -> None:
        self._row = row % len(_ABOUT)
        self._show()

    def _change(self, steps: int) -> None:
        if self.is_busy:
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
        self.body().show(self._lines)

    def _lines(self, _: int) -> list[Line]:
        values = (self.tuning.focus or "every category", str(self.tuning.concurrency), str(self.tuning.max_retries))
        lines: list[Line] = [BLANK]
        for row, ((name, about), value) in enumerate(zip(_ABOUT, values, strict=True)):
            lines.append(self._value_line(row, name, value, about))
        return lines

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


def _changed(tuning: Tuning, row: int, steps: int) -> Tuning:
    if row == 0:
        place = (_FOCUSES.index(tuning.focus) + steps) % len(_FOCUSES) if tuning.focus in _FOCUSES else 0
        return replace(tuning, focus=_FOCUSES[place])
    if row == 1:
        return replace(tuning, concurrency=tuning.concurrency + steps)
    return replace(tuning, max_retries=tuning.max_retries + steps)
