"""Attempts that the policy holds: looked at one by one, and ruled on by keys that open late."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from selfplay_core.engine.desk import Looked
from selfplay_core.engine.holding import deny_held, deny_pattern, parked_trace, pattern_of
from selfplay_core.engine.servers import policy_of
from selfplay_core.errors import StoreError
from selfplay_core.store.database import Reader
from selfplay_core.store.held import HeldAttempt, held, rule_held
from selfplay_core.store.listing import example_of
from selfplay_core.verify.policy import Policy
from tui.drawing.held import Key, Waiting, allowed_rows, held_details, held_row
from tui.drawing.lines import BLANK, Line, Span
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.screens.confirm import RISKY_SECONDS
from tui.screens.edit import EditScreen
from tui.screens.working import WorkingScreen
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

__all__ = ["HeldScreen", "waiting_of"]

_LOOK_EVERY: Final = 1.0


class HeldScreen(WorkingScreen[int | None]):
    """Rules on held attempts; brings back the number of the last one that was edited, if any."""

    SCREEN = "held"
    BINDINGS = bindings_of("held")

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._policy = policy_of(bench.job.settings)
        self._waiting: list[Waiting] | None = None
        self._allowed: list[Waiting] = []
        self._chosen: Key | None = None
        self._painted: tuple[Key, float] | None = None
        self._probes: dict[Key, Looked] = {}
        self._edited: int | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="split"):
            yield Rows(id="list")
            yield Lines(id="body")
        yield Lines(id="news")

    def on_mount(self) -> None:
        self.body().set_title((Span(" Held for a person ", "title"),))
        self.begin(self._reload)
        self.set_interval(_LOOK_EVERY, self._look)

    @property
    def shown(self) -> Waiting | None:
        """The attempt on screen, None if nothing waits."""
        return next((one for one in self._waiting or () if one.key == self._chosen), None)

    @property
    def is_armed(self) -> bool:
        """Whether a ruling on the attempt on screen counts."""
        if self._painted is None or self._painted[0] != self._chosen:
            return False
        return self.bench.clock() - self._painted[1] >= RISKY_SECONDS

    def action_next(self) -> None:
        self._step(1)

    def action_previous(self) -> None:
        self._step(-1)

    def action_allow(self) -> None:
        if (shown := self._ready()) is not None:
            self.begin(partial(self._allow, shown))

    def action_deny(self) -> None:
        if (shown := self._ready()) is not None:
            self.begin(partial(self._deny, shown))

    def action_deny_pattern(self) -> None:
        if (shown := self._ready()) is not None:
            self.begin(partial(self._deny_pattern, shown))

    def action_edit_held(self) -> None:
        if (shown := self._ready()) is not None:
            self.begin(partial(self._edit, shown))

    def action_probe(self) -> None:
        if self.shown is not None:
            self.begin(partial(self._probe, self.shown))

    def action_back(self) -> None:
        if not self.cancel():
            self.finish(self._edited)

    async def clicked(self, message: Pane.Clicked) -> None:
        """Show the clicked attempt, or do what the span says."""
        if message.row is not None and self._waiting and message.row < len(self._waiting):
            self._choose(self._waiting[message.row].key)
        else:
            await super().clicked(message)

    def _ready(self) -> Waiting | None:
        """Return the attempt on screen if a ruling on it counts, else say why it does not."""
        shown = self.shown
        if shown is None:
            return None
        if self.is_busy:
            self.tell_busy()
            return None
        if not self.is_armed:
            self.tell("Too early to rule on this attempt: read it first. The keys open in a moment.", "warn")
            return None
        return shown

    async def _allow(self, shown: Waiting) -> None:
        curator = self.bench.curator
        trace_id, since = shown.key
        if not await curator.store.do(rule_held, trace_id, since=since, allow=True, by=curator.operator):
            self._tell_overtaken()
        elif await curator.reader.do(Reader.is_generating):
            self.tell("Allowed: the run takes it up.", "ok")
        else:
            self.tell("Allowed: the next run takes it up.", "ok")
        await self._reload()

    async def _deny(self, shown: Waiting) -> None:
        curator = self.bench.curator
        trace_id, since = shown.key
        if await curator.store.do(deny_held, trace_id, since=since, by=curator.operator):
            self.tell("Denied: it ends as blocked, and nothing of it has run.", "ok")
        else:
            self._tell_overtaken()
        await self._reload()

    async def _deny_pattern(self, shown: Waiting) -> None:
        curator = self.bench.curator
        pattern = pattern_of(shown.held_command) if shown.held_command else ""
        if not pattern:
            self.tell(f"There is no pattern in it. {self.keymap.shown('deny')} denies this one attempt.", "warn")
            return
        denied = await curator.store.do(deny_pattern, shown.item.run_id, pattern, by=curator.operator)
        # What is shown was said no to, even if the pattern should not catch it.
        trace_id, since = shown.key
        count = denied.ended + await curator.store.do(deny_held, trace_id, since=since, by=curator.operator)
        where = "its run, and of the run that goes on" if len(denied.runs) > 1 else "the run"
        self.tell(f"Denied for the rest of {where}: {pattern} (held attempts that ended: {count}).", "ok")
        await self._reload()

    async def _edit(self, shown: Waiting) -> None:
        curator = self.bench.curator
        trace_id, since = shown.key
        reason = "To be edited."
        if not await curator.store.do(deny_held, trace_id, since=since, by=curator.operator, reason=reason):
            self._tell_overtaken()
            await self._reload()
            return
        found = await curator.reader.do(example_of, trace_id)
        await self._reload()
        if found is None:
            back_key = self.keymap.shown("back")
            raise StoreError(
                f"What was denied, trace {trace_id}, cannot be found. Leave with {back_key}; look for it in the list."
            )
        self._edited = found.number

        def back(decided: bool | None) -> None:
            curator.drop([found.number])
            self.tell(f"Edited as #{found.number}." if decided else f"Denied; #{found.number} waits undecided.", "ok")

        self.app.push_screen(EditScreen(self.bench, found), back)

    async def _probe(self, shown: Waiting) -> None:
        back = self.keymap.shown("back")
        self.tell(f"Probing: the server parses the commands and runs nothing. {back} stops waiting.")
        self._probes[shown.key] = await self.bench.desk.probe(shown.commands)
        self.tell("")
        self._show(keep_place=True)

    def _tell_overtaken(self) -> None:
        self.tell("Somebody ruled on this attempt meanwhile, or it ended; nothing was done. See what waits.", "warn")

    def _step(self, steps: int) -> None:
        if self._waiting:
            place = self._place() + steps
            self._choose(self._waiting[max(min(place, len(self._waiting) - 1), 0)].key)

    def _choose(self, key: Key) -> None:
        if key != self._chosen:
            self._chosen = key
            self.tell("")
            self._show()

    def _place(self) -> int:
        keys = [one.key for one in self._waiting or ()]
        return keys.index(self._chosen) if self._chosen in keys else 0

    def _look(self) -> None:
        # Beside what is under way: a key that rules must not be lost to a look.
        if self.is_active:
            self.work(self._reload, only="look")

    async def _reload(self) -> None:
        """Read what waits; the attempt on screen stays, or its place is taken by the next one."""
        found = await self.bench.curator.reader.do(held)
        place = self._place()
        before = None if self._waiting is None else (self._keys(self._waiting), self._keys(self._allowed))
        known = {one.key: one for one in self._waiting or ()}
        open_ones = [item for item in found if item.allowed is None]
        self._waiting = [known.get((one.trace_id, one.since)) or waiting_of(one, self._policy) for one in open_ones]
        self._allowed = [waiting_of(item, self._policy) for item in found if item.allowed]
        keys = self._keys(self._waiting)
        if (keys, self._keys(self._allowed)) == before:
            return
        stays = self._chosen in keys
        if not stays:
            self._chosen = keys[min(place, len(keys) - 1)] if keys else None
        self.bench.state.held = len(keys)
        self._show(keep_place=stays)

    @staticmethod
    def _keys(waiting: Sequence[Waiting]) -> list[Key]:
        return [one.key for one in waiting]

    def _show(self, *, keep_place: bool = False) -> None:
        if is_left(self):
            return
        waiting, now, glyphs = self._waiting or [], self.bench.now(), self.bench.glyphs
        below = [line for one in self._allowed for line in allowed_rows(one, glyphs)]

        def draw(index: int, width: int) -> Line:
            return held_row(waiting[index], now, glyphs, width) if index < len(waiting) else below[index - len(waiting)]

        rows = self.query_one("#list", Rows)
        rows.set_title((Span(f" {len(waiting)} held ", "title"),))
        rows.set_rows(len(waiting) + len(below), draw)
        rows.set_cursor(self._place() if waiting else None)
        rows.display = bool(waiting or below)
        self.body().show(self._details, keep_place=keep_place)
        self._show_armed()
        if self.shown is not None:
            self.call_after_refresh(self._seen, self.shown.key)

    def _seen(self, key: Key) -> None:
        if key == self._chosen and (self._painted is None or self._painted[0] != key):
            self._painted = (key, self.bench.clock())
            self.set_timer(RISKY_SECONDS, self._show_armed)

    def _show_armed(self) -> None:
        if is_left(self):
            return
        text = "" if self.shown is None else "keys are open " if self.is_armed else f"keys open in {RISKY_SECONDS} s "
        self.show_keys()
        told = (Span(text, "ok" if self.is_armed else "warn"),) if text else ()
        self.body().set_title((Span(" Held for a person ", "title"), *told))

    def _details(self, width: int) -> list[Line]:
        shown = self.shown
        if shown is None:
            return [
                BLANK,
                (Span(" Nothing is held.", "strong"),),
                (Span(" What the policy asks about waits here.", "dim"),),
            ]
        return held_details(
            shown,
            pattern=pattern_of(shown.held_command) if shown.held_command else "",
            probe=self._probes.get(shown.key),
            now=self.bench.now(),
            glyphs=self.bench.glyphs,
            width=width,
        )


def waiting_of(item: HeldAttempt, policy: Policy) -> Waiting:
    """Return a held attempt with what the policy says of its commands; what cannot be read says so."""
    try:
        trace = parked_trace(item)
    except StoreError as error:
        return Waiting(item, None, (), (), str(error))
    answer = trace.last.answer if trace.last is not None else None
    commands = answer.commands if answer is not None else ()
    return Waiting(item, trace, commands, policy.review_all(commands))
