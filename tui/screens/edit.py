"""Editing an example: changed commands run through the one door before they are accepted as proven."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from textual.app import ComposeResult
from textual.widgets import TextArea

from selfplay_core.engine.servers import policy_of
from selfplay_core.errors import DecisionOvertaken, SettingsError
from selfplay_core.models import Action, Answer, CommandResult, Decision
from selfplay_core.store.listing import Example
from selfplay_core.verify.verifier import too_long
from tui.drawing.editing import counted, doubt, meanwhile, unfit, unsendable
from tui.drawing.lines import BLANK, Line, Span, between, paragraphs, span
from tui.drawing.verdicts import Checked, check_lines
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.screens.confirm import RISKY_SECONDS, ConfirmScreen
from tui.screens.keys import before_inputs, keys_taken_in
from tui.screens.working import WorkingScreen
from tui.state.draft import FIELD_NAMES, Fields, Proof, commands_in, is_proven, made_of, mended, start_of
from tui.state.review import SIGHT_SECONDS
from tui.terminal.outside_editor import as_document, edit_outside, from_document
from tui.widgets.area import SafeArea
from tui.widgets.pane import Lines
from tui.workbench import Workbench

__all__ = ["EditScreen"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A key that wants to be pressed again: for what, for which text, and since when (monotonic seconds)."""

    what: str
    text: Fields
    since: float


class EditScreen(WorkingScreen[bool]):
    """True once the edit is decided on; with `outside` the editor opens at once.

    `first` is what makes an example of something that is none yet, as late as an edit of it is saved.
    """

    SCREEN = "edit"
    BINDINGS = before_inputs(bindings_of("edit"))

    def __init__(
        self,
        bench: Workbench,
        example: Example,
        *,
        outside: bool = False,
        first: Callable[[], Awaitable[Example]] | None = None,
    ) -> None:
        super().__init__(bench)
        self._first = first
        self._example = example
        self._start = start_of(example.trace, example.standing.decision)
        self._policy = policy_of(bench.job.settings)
        self._outside_first = outside
        self._names = [name for name in FIELD_NAMES if getattr(self._start.fields, name) is not None]
        self._loaded: dict[str, str] = {}
        self._proof = self._start.proof
        self._asked: _Asked | None = None
        self._objection: tuple[str, Fields] | None = None
        self._unread_document: str | None = None
        self._deciding = False
        self._overtaken_at: float | None = None

    def compose_body(self) -> ComposeResult:
        yield Lines(id="head", classes="label")
        for name in self._names:
            yield Lines(id=f"label-{name}", classes="label")
            yield SafeArea(
                getattr(self._start.fields, name),
                id=name,
                compact=True,
                highlight_cursor_line=False,
                show_line_numbers=name == "commands",
            )
        yield Lines(id="body")
        yield Lines(id="news")

    def on_mount(self) -> None:
        # A text area ends lines where we do not; what it shows of an untouched text is kept to know it by.
        self._loaded = {name: self._area(name).text for name in self._names}
        # At once: `focus` comes a message later, and the keys of that time would be lost.
        self.set_focus(self._area("commands"))
        self.tell("")
        self._show()
        if self._outside_first:
            self.begin(partial(self._edit_outside, leave=True))

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands as they stand."""
        if self._is_untouched("commands"):
            return self._start.answer.commands
        return commands_in(self._area("commands").text)

    @property
    def answer(self) -> Answer:
        """The answer as it stands."""
        now = self._fields()
        return Answer(self.commands, now.reasoning, now.message)

    @property
    def is_changed(self) -> bool:
        """Whether anything differs from what the screen opened with."""
        return not all(self._is_untouched(name) for name in self._names)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        if self._asked is not None and self._asked.text != self._fields():
            self._take_back_the_question()
        if self._objection is not None and self._objection != (self._news[0], self._fields()):
            if self._objection[0] == self._news[0]:
                self.tell("")
            self._objection = None
        self._show()

    def action_next_field(self) -> None:
        self.focus_next()

    def action_previous_field(self) -> None:
        self.focus_previous()

    def action_verdicts_down(self) -> None:
        self.body().scroll_by(1)

    def action_verdicts_up(self) -> None:
        self.body().scroll_by(-1)

    async def action_open_editor(self) -> None:
        await keys_taken_in(self)
        self.begin(partial(self._edit_outside, leave=False))

    async def action_verify(self) -> None:
        await keys_taken_in(self)
        commands = self.commands
        if self.is_busy:
            self.tell_busy()
            return
        self._take_back_the_question()
        if trouble := unsendable(commands):
            self._object(trouble, "bad")
            return
        rulings = self._policy.review_all(commands)
        denied = [ruling.reason for ruling in rulings if ruling.action is Action.DENY]
        asks = [ruling.reason for ruling in rulings if ruling.action is Action.ASK]
        if denied:
            self._object(f"Nothing runs. {denied[0]} Change the command, then run them again.", "bad")
        elif asks:
            self._ask_permission(commands, asks)
        else:
            self.begin(partial(self._verify, commands, allowed=False))

    async def action_save(self) -> None:
        await keys_taken_in(self)
        if self.is_busy:
            self.tell_busy()
            return
        if not self._has_been_read:
            return
        prompt, answer = self._fields().prompt, self.answer
        if trouble := unfit(prompt, self._start.own_prompt, self._example.trace.prompt.mode):
            self._object(trouble, "bad")
            return
        made = made_of(
            self._start,
            prompt,
            answer,
            self._proof,
            by=self.bench.curator.operator,
            at=self.bench.now(),
            accepts=self._first is None,
        )
        back = self.keymap.shown("back")
        if made is None:
            key, does = ("allow", "lets it run once") if self._first is not None else ("accept", "accepts it")
            told = f"Nothing differs from the model's answer. Leave with {back}; then {self.keymap.shown(key)} {does}."
            self._object(told, "warn")
        elif self._overtaken_at is None and not self.is_changed and self._proof == self._start.proof:
            self._object(f"Nothing was changed: this edit stands already. Leave with {back}.", "warn")
        elif self._lacks_proof(answer) and not self._pressed_again("save"):
            self._warn_of_no_proof(answer)
        else:
            self.begin(partial(self._decide, made))

    async def action_back(self) -> None:  # type: ignore[override]  # Textual awaits what there is to await
        await keys_taken_in(self)
        if self._deciding:
            return
        if self.cancel():
            self.tell("Stopped waiting. What had been sent has run; verdicts did not come back.", "warn")
        elif not self.is_changed or self._pressed_again("back"):
            self.finish(False)
        else:
            self.tell(f"{self.keymap.shown('back')} again throws the changes away.", "warn")

    async def action_quit_anywhere(self) -> None:
        """Quit as `back` leaves: never past something unsaved without asking."""
        await keys_taken_in(self)
        if self._deciding:
            return
        if not self.is_changed or self._pressed_again("quit_anywhere"):
            await super().action_quit_anywhere()
        else:
            quit_, save = self.keymap.shown("quit_anywhere"), self.keymap.shown("save")
            self.tell(f"{quit_} again quits and throws the changes away; {save} saves them.", "warn")

    async def _verify(self, commands: tuple[str, ...], *, allowed: bool) -> None:
        more = self.bench.glyphs.more
        self.tell(f"running{more} {counted(commands)} on {self._where()}; {self.keymap.shown('back')} stops waiting")
        self._show()
        looked = await self.bench.desk.verify(commands, allowed_by_person=allowed)
        if looked.error:
            self.tell(f"{looked.error} {self.keymap.shown('verify')} tries again.", "bad")
        elif looked.denied:
            self._object(f"Nothing ran. {looked.denied}", "bad")
        elif looked.asks and not allowed:
            self.tell("")
            self._ask_permission(commands, [looked.asks])
        elif looked.asks:
            self._object(f"Nothing ran. {looked.asks}", "bad")
        else:
            self._proof = Proof(looked.results, looked.world)
            self.tell("")
        self._show()

    async def _decide(self, made: Decision) -> None:
        self._deciding = True
        try:
            if self._first is not None:
                self._example, self._first = await self._first(), None
            await self.bench.curator.decide(self._example, made)
        except DecisionOvertaken as error:
            await self._take_in_what_others_did(error)
            return
        finally:
            self._deciding = False
        self.bench.state.decide(self._example.number, made.kind, self.bench.clock())
        self.finish(True)

    async def _take_in_what_others_did(self, error: DecisionOvertaken) -> None:
        """Show what overtook the edit, and keep what was typed for a decision on the example as it stands."""
        fresh = await self.bench.curator.example(self._example.number)
        if fresh is None:
            raise error
        meant = start_of(fresh.trace, fresh.standing.decision)
        # The fields hold what the person saw; only what they are compared with is another.
        self._start = replace(self._start, own_prompt=meant.own_prompt, own=meant.own)
        told, self._example = meanwhile(self._example, fresh), fresh
        save, back = self.keymap.shown("save"), self.keymap.shown("back")
        self.tell(f"{told} What you wrote is kept: {save} again decides so all the same, {back} leaves.", "warn")
        self._overtaken_at = self.bench.clock()
        self._show()

    @property
    def _has_been_read(self) -> bool:
        """Whether what overtook the edit is known, and not only to a key that is held down."""
        return self._overtaken_at is None or self.bench.clock() - self._overtaken_at >= SIGHT_SECONDS

    async def _edit_outside(self, *, leave: bool) -> None:
        sent = self._fields()
        document = self._unread_document or as_document(sent)
        text = await edit_outside(self.app, document, self.bench.job.settings.review.editor)
        if text is None and leave:
            self.bench.state.tell("The editor changed nothing.", self.bench.clock())
            self.finish(False)
            return
        if text is None:
            self.tell("The editor changed nothing.")
            return
        try:
            self._load(from_document(text), sent)
        except SettingsError:
            # What was written must not be lost by a missing heading: the editor opens with it again.
            self._unread_document = text
            raise
        self._unread_document = None
        self.tell("")

    def _load(self, written: Fields, sent: Fields) -> None:
        """Take over what the editor changed; what it left alone stays as verbatim as it was."""
        for name in self._names:
            text = getattr(written, name)
            if text is not None and text != getattr(sent, name):
                self._area(name).load_text(text)

    def _ask_permission(self, commands: tuple[str, ...], reasons: list[str]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.begin(partial(self._verify, commands, allowed=True))

        question: list[Line] = [(span(f"Run {counted(commands)} on {self._where()}?", "strong"),)]
        question += [(span(reason, "warn"),) for reason in dict.fromkeys(reasons)]
        self.app.push_screen(
            ConfirmScreen(question, "run once", armed_after=RISKY_SECONDS, clock=self.bench.clock, keymap=self.keymap),
            answered,
        )

    def _lacks_proof(self, answer: Answer) -> bool:
        own = self._start.own
        return (own is None or answer.commands != own.commands) and not is_proven(self._proof, answer.commands)

    def _warn_of_no_proof(self, answer: Answer) -> None:
        fresh = self._proof.results if self._proof is not None and self._proof.is_for(answer.commands) else ()
        save, run = self.keymap.shown("save"), self.keymap.shown("verify")
        self.tell(*doubt(fresh, save, run))

    def _object(self, text: str, role: str) -> None:
        """Tell what is wrong with the text as it stands; once it is another one, that is no news any more."""
        self.tell(text, role)
        self._objection = (text, self._fields())

    def _take_back_the_question(self) -> None:
        """Ask no more for a second key: it was asked for another text, or for other verdicts."""
        if self._asked is not None:
            self._asked = None
            self.tell("")

    def _pressed_again(self, what: str) -> bool:
        """Whether a key was pressed a second time for the same text, and not by being held down."""
        now, clock = self._fields(), self.bench.clock()
        asked = self._asked
        if asked is None or (asked.what, asked.text) != (what, now):
            self._asked = _Asked(what, now, clock)
            return False
        return clock - asked.since >= SIGHT_SECONDS

    def _fields(self) -> Fields:
        texts = {name: self._text(name) for name in self._names}
        return Fields(texts["prompt"], texts["commands"], texts["reasoning"], texts.get("message"))

    def _text(self, name: str) -> str:
        if self._is_untouched(name):
            return str(getattr(self._start.fields, name))
        text = mended(self._area(name).text)
        return text.strip() if name == "prompt" else text

    def _is_untouched(self, name: str) -> bool:
        return self._loaded.get(name) == self._area(name).text

    def _area(self, name: str) -> SafeArea:
        return self.query_one(f"#{name}", SafeArea)

    def _where(self) -> str:
        settings = self.bench.job.settings
        where = "the sandbox" if settings.world.kind == "sandbox" else f"{settings.rcon.host}:{settings.rcon.port}"
        return f"{where}, through the run" if self.bench.runner.has_begun else where

    def _show(self) -> None:
        if is_left(self):
            return
        self.query_one("#head", Lines).show(self._head)
        for name in self._names:
            self.query_one(f"#label-{name}", Lines).show(partial(self._label, name))
        self.body().show(self._verdicts, keep_place=True)

    def _head(self, width: int) -> list[Line]:
        prompt = self._example.trace.prompt
        left = (
            Span(f" Edit {'what is held' if self._first else f'#{self._example.number}'}", "title"),
            Span(f"  {prompt.category}  {prompt.mode.value}", "dim"),
        )
        return [between(left, (Span("changed" if self.is_changed else "", "warn"),), width)]

    def _label(self, name: str, width: int) -> list[Line]:
        about = "  one a line" if name == "commands" else ""
        left = (Span(f" {name.upper()}", "title"), Span(about, "dim"))
        return [between(left, (Span("" if self._is_untouched(name) else "changed", "warn"),), width)]

    def _verdicts(self, width: int) -> list[Line]:
        commands = self.commands
        status, role, results = self._known(commands)
        checked = [
            Checked(command, ruling, too_long(command), results[place] if results else None)
            for place, (command, ruling) in enumerate(zip(commands, self._policy.review_all(commands), strict=True))
        ]
        lines = paragraphs(status, width, role, first=(Span(" CHECK  ", "title"),))
        return [*lines, *check_lines(checked, self.bench.glyphs, width), BLANK]

    def _known(self, commands: tuple[str, ...]) -> tuple[str, str, tuple[CommandResult, ...]]:
        """Return what is known of the commands: in words, with a role, and the verdicts that stand for them."""
        own, last = self._start.own, self._example.trace.last
        run = self.keymap.shown("verify")
        if self._proof is not None and self._proof.is_for(commands):
            good = is_proven(self._proof, commands)
            return "verdicts for exactly these commands", "ok" if good else "warn", self._proof.results
        if own is not None and last is not None and commands == own.commands:
            shown = last.results if Proof(last.results, None).is_for(commands) else ()
            if commands and not shown:
                return "the model's own commands, which have not run", "dim", ()
            return "the model's own commands: the evidence of the trace holds", "dim", shown
        if self._proof is not None:
            return f"stale: the commands were changed since they ran; {run} runs them again", "warn", ()
        return f"not run; {run} runs them on {self._where()}", "dim", ()
