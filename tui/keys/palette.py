"""The command palette: every action of the table by its words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys.actions import ACTIONS, Action, spoken

if TYPE_CHECKING:
    from tui.app import ReviewApp

__all__ = ["ActionProvider"]


class ActionProvider(Provider):
    """Offers what the screen below the palette can do."""

    async def discover(self) -> Hits:
        for action in self._offered():
            yield DiscoveryHit(action.help, partial(self._do, action), help=self._keys(action))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.help)
            if score > 0:
                yield Hit(score, matcher.highlight(action.help), partial(self._do, action), help=self._keys(action))

    def _offered(self) -> list[Action]:
        name = getattr(self.screen, "SCREEN", "")
        return [action for action in ACTIONS if name in action.screens and action.name != "palette"]

    def _keys(self, action: Action) -> str:
        app: ReviewApp = self.app  # type: ignore[assignment]  # the only app that has this provider
        return " ".join(spoken(key) for key in app.bench.keymap.keys(action))

    async def _do(self, action: Action) -> None:
        dispatch = getattr(self.screen, "action_do", None)
        if dispatch is not None:
            dispatch(action.name)
        else:
            await self.screen.run_action(action.name)
