"""Attempts that the policy holds: looked at one by one, and ruled on by keys that open late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from selfplay_core.engine.holding import caught, deny_held, deny_pattern, parked_trace, pattern_of
from selfplay_core.engine.servers import policy_of
from selfplay_core.errors import StoreError
from selfplay_core.store.database import Reader
from selfplay_core.store.held import HeldAttempt, held, rule_held
from selfplay_core.store.listing import Example, example_of
from selfplay_core.store.log import Standing
from selfplay_core.verify.policy import Policy
from tui.drawing.held import Key, Probe, Waiting, allowed_rows, held_details, held_row
from tui.drawing.lines import BLANK, Line, Span, span
from tui.keys.bindings import bindings_of
from tui.screens.background import is_left
from tui.screens.confirm import RISKY_SECONDS, ConfirmScreen
from tui.screens.edit import EditScreen
from tui.screens.working import WorkingScreen
from tui.widgets.pane import Lines, Pane, Rows
from tui.workbench import Workbench

__all__ = ["HeldScreen", "waiting_of"]

_LOOK_EVERY: Final = 1.0
_PROBE_AFTER: Final = 1.0
_UNDECIDED: Final = Standing(0, None, can_undo=False, can_redo=False)
_TOO_EARLY: Final = "Too early to rule on this attempt: read it first. The keys open in a moment."


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
        self._probes: dict[Key, Probe] = {}
        self._one_probe = asyncio.Lock()
        self._probing: Key | None = None
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
            self.begin(partial(self._ask_about_pattern, shown))

    def action_edit_held(self) -> None:
        if (shown := self._ready()) is not None:
            self._edit(shown)

    def action_probe(self) -> None:
        if self.shown is not None:
            self.begin(partial(self._probe_when_told, self.shown))

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
            self.tell(_TOO_EARLY, "warn")
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

    async def _ask_about_pattern(self, shown: Waiting) -> None:
        """Say how many attempts a pattern would end, where it is more than the one that was read."""
        pattern = pattern_of(shown.held_command) if shown.held_command else ""
        if not pattern:
            self.tell(f"There is no pattern in it. {self.keymap.shown('deny')} denies this one attempt.", "warn")
            return
        count = len({shown.key, *await self.bench.curator.reader.do(caught, shown.item.run_id, pattern)})
        if count == 1:
            await self._deny_pattern(shown, pattern)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.begin(partial(self._deny_pattern, shown, pattern))

        question: list[Line] = [
            (Span(f"End {count:,} held attempts, and deny for the rest of the run what begins so?", "strong"),),
            (span(pattern, "command"),),
        ]
        label = f"deny all {count:,}"
        self.app.push_screen(
            ConfirmScreen(question, label, armed_after=RISKY_SECONDS, clock=self.bench.clock, keymap=self.keymap),
            answered,
        )

    async def _deny_pattern(self, shown: Waiting, pattern: str) -> None:
        curator = self.bench.curator
        denied = await curator.store.do(deny_pattern, shown.item.run_id, pattern, by=curator.operator)
        # What is shown was said no to, even if the pattern should not catch it.
        trace_id, since = shown.key
        count = denied.ended + await curator.store.do(deny_held, trace_id, since=since, by=curator.operator)
        where = "its run, and of the run that goes on" if len(denied.runs) > 1 else "the run"
        self.tell(f"Denied for the rest of {where}: {pattern} (held attempts that ended: {count}).", "ok")
        await self._reload()

    def _edit(self, shown: Waiting) -> None:
        """Open what the model wrote; the attempt is held until an edit of it is saved."""
        if shown.trace is None:
            self.tell(f"It cannot be read, so not edited. {self.keymap.shown('deny')} denies it.", "warn")
            return

        def back(decided: bool | None) -> None:
            if decided:
                self.tell(f"Denied as it was, and edited as #{self._edited}.", "ok")
            self._look()

        parked = Example(0, shown.item.run_id, shown.item.since, shown.trace, _UNDECIDED, flagged=False, same_as=None)
        self.app.push_screen(EditScreen(self.bench, parked, first=partial(self._deny_for_edit, shown)), back)

    async def _deny_for_edit(self, shown: Waiting) -> Example:
        """End the attempt, so that the edit of it can be decided on; raises StoreError if somebody was faster."""
        curator = self.bench.curator
        trace_id, since = shown.key
        reason = "It was edited."
        if not await curator.store.do(deny_held, trace_id, since=since, by=curator.operator, reason=reason):
            raise StoreError(
                "Somebody ruled on this attempt meanwhile, or it ended; nothing was saved. "
                f"Leave with {self.keymap.shown('back')}, and see what became of it."
            )
        found = await curator.reader.do(example_of, trace_id)
        if found is None:
            raise StoreError(f"What was denied, trace {trace_id}, cannot be found. Look for it in the list.")
        self._edited = found.number
        return found

    async def _probe_when_told(self, shown: Waiting) -> None:
        back = self.keymap.shown("back")
        self.tell(f"Probing: the server parses the commands and runs nothing. {back} stops waiting.")
        await self._probe(shown, told=True)
        self.tell("")

    def _probe_unasked(self, key: Key) -> None:
        """Probe what has been on screen for a moment, beside the keys; what is asked for so is never asked twice."""
        shown = self.shown
        if shown is not None and shown.key == key and key not in self._probes and not self._one_probe.locked():
            self.work(partial(self._probe_if_at_hand, shown))

    async def _probe_if_at_hand(self, shown: Waiting) -> None:
        if await self.bench.desk.is_at_hand():
            await self._probe(shown, told=False)
            if self._chosen is not None and self._chosen != shown.key:
                self._probe_soon(self._chosen)

    def _probe_soon(self, key: Key) -> None:
        self.set_timer(_PROBE_AFTER, partial(self._probe_unasked, key))

    async def _probe(self, shown: Waiting, *, told: bool) -> None:
        known = self._probes.get(shown.key) if told else None
        async with self._one_probe:
            # What another one has brought meanwhile need not be asked for again.
            if self._probes.get(shown.key) is known:
                self._show_probing(shown.key)
                try:
                    self._probes[shown.key] = Probe(await self.bench.desk.probe(shown.commands), told)
                finally:
                    self._show_probing(None)

    def _show_probing(self, key: Key | None) -> None:
        self._probing = key
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
            return held_row(waiting[index], now, glyphs) if index < len(waiting) else below[index - len(waiting)]

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
            self._probe_soon(key)

    def _show_armed(self) -> None:
        if is_left(self):
            return
        if self.is_armed and self._news[0] == _TOO_EARLY:
            self.tell("")
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
            unprobed=self._unprobed(shown.key),
            now=self.bench.now(),
            glyphs=self.bench.glyphs,
            width=width,
        )

    def _unprobed(self, key: Key) -> str:
        """Return what stands where a probe's result would."""
        if self._probing == key:
            return f"the server is parsing it{self.bench.glyphs.more}"
        return f"{self.keymap.shown('probe')} lets the server parse it; nothing runs"


def waiting_of(item: HeldAttempt, policy: Policy) -> Waiting:
    """Return a held attempt with what the policy says of its commands; what cannot be read says so."""
    try:
        trace = parked_trace(item)
    except StoreError as error:
        return Waiting(item, None, (), (), str(error))
    answer = trace.last.answer if trace.last is not None else None
    commands = answer.commands if answer is not None else ()
    return Waiting(item, trace, commands, policy.review_all(commands))
