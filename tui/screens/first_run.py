"""The first screen of all: what the sandbox is, and how to point to real servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from selfplay_core.engine.doctor import Check, examine
from selfplay_core.errors import SelfplayError
from tui.drawing.lines import Line, Span, cropped, span
from tui.drawing.welcome import FIELDS, PASSWORD, Field, check_lines, welcome_lines
from tui.first_run.job import FirstJob, job_of, save
from tui.job import Settled
from tui.keys.bindings import bindings_of
from tui.screens.background import BackgroundScreen, is_left
from tui.screens.base import PlainScreen
from tui.screens.help import HelpScreen
from tui.screens.keys import before_inputs, keys_taken_in
from tui.widgets.area import SafeInput
from tui.widgets.pane import Lines
from tui.workbench import Beginning

__all__ = ["FirstRunScreen"]

_PATIENCE: Final = 180.0
_ROOMY: Final = 32
_BROAD: Final = 100


class Choice(Lines, can_focus=True):
    """Something that can be done, by a key while it has the focus, or by a click."""

    def __init__(self, action: str, label: str, note: str, cursor: str, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._action = action
        self._label = label
        self._note = note
        self._cursor = cursor

    def on_mount(self) -> None:
        self.show(self._lines)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def is_cursor(self, index: int) -> bool:
        return self.has_focus

    def line_at(self, index: int, width: int) -> Line | None:
        line = super().line_at(index, width)
        return line if line is None else (Span(self._cursor if self.has_focus else " ", "key"), *line)

    def choose(self) -> None:
        """Act as if it were clicked."""
        self.post_message(self.Clicked(self, self._action, None))

    def _lines(self, width: int) -> list[Line]:
        line: Line = (Span(f" {self._label} ", "key", self._action), Span(f" {self._note}", "dim", self._action))
        return [cropped(line, width - 1)]


class FirstRunScreen(BackgroundScreen[Settled | None], PlainScreen[Settled | None]):
    """Explains, tests and saves; ends with the job to run, or with None where the person only leaves."""

    SCREEN = "first"
    DEFECT = "A defect stopped this, and no workspace is open yet to log it; `selfplay-tui doctor` shows where it lies."
    # Before the fields: what is typed behind a key that leaves one would go into it, a password into an open one.
    BINDINGS = before_inputs(bindings_of("first"), only=("choose", "form_next", "form_previous"))

    def __init__(self, begin: Beginning, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__(begin.keymap)
        self.begin = begin
        self._environment = environment
        self._checks: list[Check] = []
        self._testing = False

    def compose_body(self) -> ComposeResult:
        cursor = self.begin.glyphs.cursor
        yield Lines(id="first-story")
        yield Choice("start", "start on the sandbox", "nothing is needed", cursor, id="first-start")
        with Vertical(id="first-form"):
            yield Lines(id="first-head")
            for field in FIELDS:
                with Horizontal(classes="first-row"):
                    yield Lines(classes="first-label", name=field.path)
                    yield SafeInput(
                        id=_input_id(field), placeholder=field.usual, password=field.path == PASSWORD, compact=True
                    )
                    yield Lines(classes="first-note", name=field.path)
            with Horizontal(id="first-choices"):
                yield Choice("test", "test", "look at all of it", cursor, id="first-test")
                yield Choice("save", "save and start", "", cursor, id="first-save")
        yield Lines(id="body")

    def on_mount(self) -> None:
        self.query_one("#first-head", Lines).set_title((Span(" Your own servers ", "title"),))
        for field in FIELDS:
            self._label(field)
        self._show_checks("")
        self.set_focus(self.query_one("#first-start"))

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < _BROAD, "-narrow")
        self._arrange()

    def _arrange(self) -> None:
        """Give what was found the place of the explanation where there is no room for both."""
        roomy = self.size.height >= _ROOMY
        story = self.query_one("#first-story", Lines)
        story.display = roomy or not (self._checks or self._testing)
        story.set_title((Span(" Welcome ", "title"),))
        workspace = self.begin.job.workspace
        lines = welcome_lines(workspace, self.size.width, short=not roomy)
        story.styles.height = len(lines) + 1 + roomy
        story.show(lambda width: welcome_lines(workspace, width, short=not roomy))
        self.query_one("#first-form").styles.margin = (1, 0, 0, 0) if roomy else 0
        for note in self.query(".first-note"):
            note.display = self.size.width >= 70

    def _label(self, field: Field) -> None:
        for lines in self.query(Lines):
            if lines.name == field.path:
                text, role = (field.label, "text") if lines.has_class("first-label") else (field.note, "dim")
                lines.show(lambda width, text=text, role=role: [cropped((span(f" {text}", role),), width)])  # type: ignore[misc]

    # Choices

    def action_start(self) -> None:
        self.dismiss(Settled(self.begin.job, self.begin.origins))

    async def action_test(self) -> None:
        await keys_taken_in(self)
        if not self._testing:
            self._testing = True
            self._checks.clear()
            self._arrange()
            self._show_checks("")
            self.work(self._test, only="first")

    async def action_save(self) -> None:
        await keys_taken_in(self)
        self.work(self._save, only="first")

    def action_choose(self) -> None:
        if isinstance(self.focused, Choice):
            self.focused.choose()
        else:
            self.focus_next()

    def action_choose_too(self) -> None:
        if isinstance(self.focused, Choice):
            self.focused.choose()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.begin, self.SCREEN), self.do_found)

    def action_form_next(self) -> None:
        self.focus_next()

    def action_form_previous(self) -> None:
        self.focus_previous()

    def action_back(self) -> None:
        if self._testing:
            self.workers.cancel_group(self, "first")
        else:
            self.dismiss(None)

    def tell(self, text: str, role: str = "info") -> None:
        """Show what happened below what was found."""
        self._show_checks(text, role)

    async def _test(self) -> None:
        told, role = "", "bad"
        try:
            first = await self._job()
            async with asyncio.timeout(_PATIENCE):
                await examine(first.job, self._found)
            ill = sum(not check.well for check in self._checks)
            told, role = ("All is well.", "ok") if not ill else (f"{ill} of {len(self._checks)} need a hand.", "bad")
        except SelfplayError as error:
            told = str(error)
        except TimeoutError:
            told = (
                f"The look was given up after {_PATIENCE:.0f} s: {self._stuck_on()}. "
                "See whether that server answers, and test again."
            )
        except asyncio.CancelledError:
            told, role = "Stopped.", "warn"
            raise
        finally:
            self._testing = False
            self._show_checks(told, role)

    async def _save(self) -> None:
        try:
            first = await self._job()
            saved = await asyncio.to_thread(save, first)
        except SelfplayError as error:
            self._checks.clear()
            self._show_checks(str(error), "bad")
        else:
            self.dismiss(Settled(first.job, first.origins | dict.fromkeys(first.typed, str(saved))))

    async def _job(self) -> FirstJob:
        typed = {field.path: self.query_one(f"#{_input_id(field)}", SafeInput).value for field in FIELDS}
        return await asyncio.to_thread(job_of, self.begin.job, self.begin.origins, typed, self._environment)

    def _found(self, check: Check) -> None:
        self._checks.append(check)
        self._show_checks("")

    def _stuck_on(self) -> str:
        return f"nothing came after {self._checks[-1].name!r}" if self._checks else "nothing came at all"

    def _show_checks(self, told: str, role: str = "text") -> None:
        if is_left(self):
            return
        checks, going_on, glyphs = tuple(self._checks), self._testing, self.begin.glyphs
        back = self.keymap.shown("back")
        self._arrange()
        self.body().show(lambda width: check_lines(checks, told, role, going_on, width, glyphs, back), keep_place=True)
        self.body().scroll_by(len(checks) + 2)


def _input_id(field: Field) -> str:
    return f"first-{field.path.replace('.', '-')}"
