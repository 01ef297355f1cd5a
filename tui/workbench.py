"""What every screen has at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from selfplay_core.engine.desk import Desk
from selfplay_core.engine.session import Job
from tui.drawing.glyphs import GLYPHS, Glyphs
from tui.keys.actions import Keymap
from tui.run.runner import Runner
from tui.state.review import State
from tui.workspace.curator import Curator

__all__ = ["Beginning", "Workbench"]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What there is before a workspace is opened."""

    job: Job
    origins: dict[str, str]
    keymap: Keymap
    glyphs: Glyphs = GLYPHS


@dataclass(slots=True)
class Workbench:
    """The job, the workspace, the servers, the run, and the state that all screens read.

    `origins` tells for each setting that somebody made where it came from; `clock` is monotonic, `now` the time of day.
    """

    job: Job
    origins: dict[str, str]
    curator: Curator
    desk: Desk
    runner: Runner
    keymap: Keymap
    glyphs: Glyphs = GLYPHS
    state: State = field(default_factory=State)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
