"""Asking the model once more, with a hint from the person who looks."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.app import ComposeResult

from selfplay_core.store.listing import Example
from tui.drawing.lines import BLANK, Line, Span, paragraphs, span
from tui.drawing.words import decided_word, decider
from tui.keys.bindings import bindings_of
from tui.screens.keys import before_inputs, keys_taken_in
from tui.screens.working import WorkingScreen
from tui.widgets.area import SafeInput
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["AskScreen"]

_LONG: Final = 12.0


class AskScreen(WorkingScreen[bool]):
    """One line for a hint; True once the model's new attempt is in the trace."""

    SCREEN = "ask"
    BINDINGS = before_inputs(bindings_of("ask"))

    def __init__(self, bench: Workbench, example: Example) -> None:
        super().__init__(bench)
        self._example = example

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")
        yield Lines(id="hint-label", classes="label")
        yield SafeInput(id="hint", compact=True)
        yield Lines(id="news")

    def on_mount(self) -> None:
        self.body().set_title((Span(f" Ask again #{self._example.number} ", "title"),))
        self.body().show(self._asked_before)
        self.query_one("#hint-label", Lines).show(
            lambda width: [(Span(" HINT ", "title"), Span(" for the model; may be left blank", "dim"))]
        )
        self.set_focus(self.query_one("#hint", SafeInput))

    async def action_send(self) -> None:
        await keys_taken_in(self)
        self.begin(partial(self._ask, self.query_one("#hint", SafeInput).value.strip()))

    def action_back(self) -> None:
        if self.cancel():
            self.tell("Taken back: the model's answer is not waited for any more.", "warn")
        else:
            self.finish(False)

    async def _ask(self, hint: str) -> None:
        self.tell(f"Asking the model once more{self.bench.glyphs.more} its commands then run on the server.")
        asked = await self.bench.desk.ask_again(self._example.trace, hint, by=self.bench.curator.operator)
        if asked.trace is None:
            self.tell(asked.error, "bad")
            return
        self.bench.curator.drop([self._example.number])
        told = asked.error or self._ended()
        if told:
            self.bench.state.tell(told, self.bench.clock(), "warn", _LONG)
        self.finish(True)

    def _ended(self) -> str:
        """Return what became of the decision that stood, blank if none did."""
        decision = self._example.standing.decision
        if decision is None:
            return ""
        return f"#{self._example.number} was answered anew: that it was {decided_word(decision)} is over. Decide again."

    def _warning(self, width: int) -> list[Line]:
        decision = self._example.standing.decision
        if decision is None:
            return []
        words = (
            f"It is {decided_word(decision)} {decider(decision)}. Another answer ends that, and no undo brings it back."
        )
        return [
            *paragraphs(words, width, "warn", first=(Span(f" {self.bench.glyphs.held} ", "warn"),), indent=3),
            BLANK,
        ]

    def _asked_before(self, width: int) -> list[Line]:
        trace = self._example.trace
        prompt = paragraphs(trace.prompt.text, width, "prompt", first=(Span(" "),))
        lines = [BLANK, *self._warning(width), *prompt, BLANK]
        answer = trace.last.answer if trace.last is not None else None
        for number, command in enumerate(answer.commands if answer is not None else (), start=1):
            lines.extend(paragraphs(command, width, "command", first=(Span(f" {number:>2} ", "dim"),)))
        hints = [(attempt.number, attempt.hint) for attempt in trace.attempts if attempt.hint]
        return [*lines, *((Span(f" hint for attempt {number}: ", "dim"), span(hint, "info")) for number, hint in hints)]
