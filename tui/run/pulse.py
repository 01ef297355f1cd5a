"""What happens by itself: a run's events and the workspace's changes become state."""

from __future__ import annotations

from dataclasses import dataclass

from selfplay_core.errors import SelfplayError
from tui.state.review import LastDecision, State
from tui.workbench import Workbench
from tui.workspace.curator import News

__all__ = ["Changed", "drain", "take_news"]

_AT_ONCE = 2_000
_ALARM_SECONDS = 30.0
# What one look reads of a run of another process; more than a person could follow.
_FOLLOWED_AT_ONCE = 40


@dataclass(slots=True)
class Changed:
    """What is to be painted anew."""

    stream: bool = False
    queue: bool = False
    header: bool = False
    example: bool = False

    def __bool__(self) -> bool:
        return self.stream or self.queue or self.header or self.example

    def add(self, other: Changed) -> None:
        """Note what else is to be painted."""
        self.stream |= other.stream
        self.queue |= other.queue
        self.header |= other.header
        self.example |= other.example


def drain(bench: Workbench) -> Changed:
    """Take in the events of the run in this process."""
    inbox, live = bench.runner.inbox, bench.state.live
    changed = Changed()
    streamed, away, alarm = live.streamed, dict(live.absences), live.alarm
    for _ in range(min(len(inbox), _AT_ONCE)):
        live.apply(inbox.popleft(), bench.now(), bench.clock())
        changed.header = True
    changed.stream = live.streamed != streamed or live.absences != away
    if live.alarm and live.alarm != alarm:
        bench.state.tell(live.alarm, bench.clock(), "warn", _ALARM_SECONDS)
    return changed


async def take_news(bench: Workbench) -> Changed:
    """Take in what anybody changed in the workspace; a reader that fails is told, and tried again."""
    state = bench.state
    changed = Changed()
    # A run of this process that ends while the workspace is read is not another one that is followed.
    is_ours = bench.runner.is_running
    try:
        news = await bench.curator.news()
        if news is None:
            return changed
        changed.header = True
        _count(state, news)
        if not (is_ours or bench.runner.is_running):
            changed.stream |= _follow_status(bench, news)
        for number, mark in news.marks:
            # One's own decisions come back as news, and are no reason to paint.
            if (place := state.queue.place_of(number)) is not None and state.queue.marks[place] != mark:
                state.queue.mark(number, mark)
                changed.queue = True
        changed.queue |= any(state.queue.place_of(number) is not None for number in news.amended)
        looked_at = state.example.number if state.example is not None else None
        changed.example = looked_at in news.amended or looked_at in {number for number, _ in news.marks}
        for number in news.amended:
            if await bench.curator.example(number) is None:
                state.queue.forget(number)
        if not state.listed:
            return changed  # the first list is on its way; the news come again once there is something to add to
        await _take_arrivals(bench, changed)
        await _follow(bench, news, changed)
        bench.curator.taken(news)
    except SelfplayError as error:
        state.tell(str(error), bench.clock(), "bad", 10.0)
    return changed


async def _take_arrivals(bench: Workbench, changed: Changed) -> None:
    queue = bench.state.queue
    newest = queue.numbers[-1] if queue.numbers else 0
    wanted = bench.state.wanted
    arrived = await bench.curator.listing(wanted, after=newest)
    if wanted is not bench.state.wanted or not arrived.numbers:
        return
    if queue.numbers and queue.numbers[-1] >= arrived.numbers[0]:
        return  # another list was loaded meanwhile
    queue.extend(arrived)
    changed.queue = True


async def _follow(bench: Workbench, news: News, changed: Changed) -> None:
    """Let the stream tell of what ended, under whatever filter and decided or not."""
    live, arrived = bench.state.live, news.arrived
    if not arrived.count:
        return
    live.number(arrived.newest)
    changed.stream = True
    if live.status == "following":
        shown = await bench.curator.ended([number for number, _ in arrived.newest[-_FOLLOWED_AT_ONCE:]])
        live.pass_over(arrived.count - len(shown), bench.now(), bench.clock())
        for ended in shown:
            live.follow(ended.trace, ended.ended_at, bench.clock())


def _count(state: State, news: News) -> None:
    state.held, state.decided, state.undecided, state.counted = news.held, news.decided, news.undecided, True
    last = news.last
    decision = last.entry.decision if last is not None else None
    state.last = LastDecision(decision.kind, last.number, last.count) if last is not None and decision else None


def _follow_status(bench: Workbench, news: News) -> bool:
    """Take in what the workspace tells of a run that is not of this process; True if the stream tells it, too."""
    live = bench.state.live
    streamed, away = live.streamed, dict(live.absences)
    run = news.run
    live.model, live.world, live.round, live.rounds = run.model, run.world, run.round, run.rounds
    if news.generating:
        live.status, live.reason = "following", ""
        if run.bulletin is not None:
            live.hear(run.bulletin, bench.now(), bench.clock())
    elif live.status == "following":
        live.lose_sight("The other process's run has ended.")
    return live.streamed != streamed or live.absences != away
