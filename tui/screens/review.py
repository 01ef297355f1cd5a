"""The review screen: four panes, and keys that decide."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from tui.keys.bindings import bindings_of
from tui.review.deciding import Deciding
from tui.review.looking import Looking
from tui.review.painting import Painter
from tui.review.running import Running
from tui.review.visiting import Visiting
from tui.screens.background import BackgroundScreen
from tui.screens.keys import before_inputs
from tui.state.layout import layout_of
from tui.state.review import PaneName
from tui.widgets.area import SafeInput
from tui.widgets.keybar import KeyBar
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

__all__ = ["ReviewScreen"]


def _opens_filter(binding: BindingType) -> bool:
    return isinstance(binding, Binding) and binding.id == "filter"


class ReviewScreen(BackgroundScreen[None]):
    """Composes the panes; what keys do is in `tui/review/`, one matter a file."""

    # Opened before the next key is taken in hand, so that the filter loses no letter typed in one breath with its key.
    BINDINGS = [  # noqa: RUF012  # as Textual declares it
        *(binding for binding in bindings_of("review", through="do") if not _opens_filter(binding)),
        *before_inputs(filter(_opens_filter, bindings_of("review", through="do"))),
    ]
    AUTO_FOCUS = ""
    SCREEN = "review"

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.painter = Painter(self, bench)
        self._deciding = Deciding(self, bench)
        self._looking = Looking(self, bench)
        self._steering = Running(self, bench)
        self._visiting = Visiting(self, bench)

    @property
    def visiting(self) -> Visiting:
        """What opens other screens."""
        return self._visiting

    @property
    def looking(self) -> Looking:
        """What moves between examples."""
        return self._looking

    def compose(self) -> ComposeResult:
        yield Lines(id="header")
        with Horizontal(id="panes"):
            yield Rows(id="queue")
            yield Lines(id="example")
            yield Lines(id="conversation")
        yield Rows(id="stream")
        yield SafeInput(id="filter", placeholder="status:  category:  outcome:  verdict:  retries>0  is:flagged  words")
        yield Lines(id="notice")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.lay_out()
        self.work(self._looking.begin)

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out()

    def lay_out(self) -> None:
        """Show the panes that the layout wants, as large as it wants them."""
        layout = layout_of(self.bench.state, self.size.width, self.size.height)
        widths = {PaneName.QUEUE: layout.queue, PaneName.CONVERSATION: layout.conversation}
        for pane in (PaneName.QUEUE, PaneName.EXAMPLE, PaneName.CONVERSATION):
            widget = self.query_one(f"#{pane}", Pane)
            fills = layout.middle is pane
            widget.display = fills or bool(widths.get(pane, 0))
            widget.styles.width = "1fr" if fills else widths.get(pane, 0)
        stream = self.query_one("#stream", Rows)
        stream.display = layout.stream > 0
        self.query_one("#panes").display = layout.middle is not None
        stream.styles.height = "1fr" if layout.middle is None else layout.stream
        self.query_one("#keys").styles.height = layout.key_rows
        self.call_after_refresh(self.painter.all)

    def tell(self, text: str, role: str = "info", seconds: float = 0.0) -> None:
        """Show one line above the keys for a while; what went wrong stays longer."""
        seconds = seconds or (12.0 if role == "bad" else 6.0)
        self.bench.state.tell(text, self.bench.clock(), role, seconds)
        self.painter.notice()

    def on_pane_clicked(self, message: Pane.Clicked) -> None:
        """Choose the row, or do what the span says; the pane becomes the active one."""
        message.stop()
        pane = message.pane.id or ""
        if message.action:
            self.action_do(message.action)
        elif pane in list(PaneName):
            self.bench.state.pane = PaneName(pane)
            if pane == PaneName.QUEUE and message.row is not None:
                self._looking.go(message.row)
            self.painter.titles()

    def on_input_changed(self, message: Input.Changed) -> None:
        self._looking.filter_typed(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._looking.filter_done()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave all keys but two to the filter's line while it is open."""
        return action != "do" or not self._looking.filtering or parameters in (("back",), ("quit_anywhere",))

    def action_quit_anywhere(self) -> None:
        """Quit, as a question above this screen says."""
        self.action_do("quit_anywhere")

    def action_do(self, name: str) -> None:
        """Do what an action of the table says: the method of that name of one of the matters."""
        for matter in (self._deciding, self._looking, self._steering, self._visiting):
            found: Callable[[], None] | None = getattr(matter, f"do_{name}", None)
            if found is not None:
                found()
                return
        self.app.call_later(self.run_action, f"app.{name}")
