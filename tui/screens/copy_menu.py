"""What of an example goes to the clipboard."""

from __future__ import annotations

import msgspec
from textual.app import ComposeResult

from selfplay_core.exchange.rows import render
from selfplay_core.models import Decision, DecisionKind
from selfplay_core.store.listing import Example
from tui.drawing.lines import BLANK, Line, Span, cropped, span
from tui.keys.bindings import bindings_of
from tui.screens.base import WorkScreen
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["CopyMenu", "copies_of"]

_NAMES = ("id", "prompt", "commands", "json")
_PREVIEW = 400


class CopyMenu(WorkScreen[str | None]):
    """Returns the text of one of four things, or None."""

    SCREEN = "copy"
    BINDINGS = bindings_of("copy")

    def __init__(self, bench: Workbench, example: Example) -> None:
        super().__init__(bench)
        self._example = example
        self._texts = copies_of(example, by=bench.curator.operator, at=bench.now())

    def compose_body(self) -> ComposeResult:
        yield Lines(id="body")

    def on_mount(self) -> None:
        self.body().set_title((Span(f" Copy #{self._example.number} ", "title"),))
        self.body().show(self._lines)

    def action_copy_id(self) -> None:
        self.dismiss(self._texts["id"])

    def action_copy_prompt(self) -> None:
        self.dismiss(self._texts["prompt"])

    def action_copy_commands(self) -> None:
        self.dismiss(self._texts["commands"])

    def action_copy_json(self) -> None:
        self.dismiss(self._texts["json"])

    def action_back(self) -> None:
        self.dismiss(None)

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = [BLANK]
        for name in _NAMES:
            key = self.bench.keymap.shown(f"copy_{name}")
            preview = span(self._texts[name][:_PREVIEW], "dim")
            action = f"copy_{name}"
            line = (Span(f"  {key} ", "key", action), Span(f" {name:<10}", "strong", action), preview)
            lines.append(cropped(line, width, self.bench.glyphs.more))
        return lines


def copies_of(example: Example, *, by: str, at: float) -> dict[str, str]:
    """Return the text of each thing; JSON is the row that stands or that accepting would give, else the trace."""
    trace, decision = example.trace, example.standing.decision
    edit = decision if decision is not None and decision.kind is DecisionKind.EDIT else None
    answer = (edit.edited if edit is not None else None) or (trace.last.answer if trace.last is not None else None)
    gives_row = decision is not None and decision.kind in (DecisionKind.ACCEPT, DecisionKind.EDIT)
    row = render(trace, decision if gives_row and decision else Decision(DecisionKind.ACCEPT, by=by, at=at))
    return {
        "id": trace.id,
        "prompt": (edit.edited_prompt if edit is not None else None) or trace.prompt.text,
        "commands": "\n".join(answer.commands) if answer is not None else "",
        "json": (row.line if row is not None else msgspec.json.encode(trace)).decode(),
    }
