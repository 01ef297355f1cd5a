"""Other screens, each loaded when it is first opened, and what they bring back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from selfplay_core.engine.again import why_not_again
from tui.terminal.clipboard import copy
from tui.workbench import Workbench

if TYPE_CHECKING:
    from tui.screens.review import ReviewScreen

__all__ = ["Visiting"]


class Visiting:
    """The keys that open another screen."""

    def __init__(self, screen: ReviewScreen, bench: Workbench) -> None:
        self._screen = screen
        self._bench = bench

    def do_edit(self) -> None:
        self._edit(outside=False)

    def do_edit_outside(self) -> None:
        self._edit(outside=True)

    def do_ask_again(self) -> None:
        from tui.screens.ask import AskScreen

        shown = self._bench.state.example
        if shown is None:
            return
        if why := why_not_again(shown):
            self._screen.tell(why, "warn")
            return
        self._screen.app.push_screen(AskScreen(self._bench, shown), self._answered)

    def do_bulk(self) -> None:
        from tui.screens.bulk import BulkScreen

        self._screen.app.push_screen(BulkScreen(self._bench), self._open)

    def do_held(self) -> None:
        from tui.screens.held import HeldScreen

        self._screen.app.push_screen(HeldScreen(self._bench), self._open)

    def do_dataset(self) -> None:
        from tui.screens.dataset import DatasetScreen

        self._screen.app.push_screen(DatasetScreen(self._bench), self._open)

    def do_statistics(self) -> None:
        from tui.screens.statistics import StatisticsScreen

        self._screen.app.push_screen(StatisticsScreen(self._bench))

    def do_settings(self) -> None:
        from tui.screens.settings import SettingsScreen

        self._screen.app.push_screen(SettingsScreen(self._bench))

    def do_help(self) -> None:
        from tui.screens.help import HelpScreen

        self._screen.app.push_screen(HelpScreen(self._bench, "review"), self._do)

    def do_palette(self) -> None:
        self._screen.app.action_command_palette()

    def do_copy(self) -> None:
        if (number := self._bench.state.queue.current) is not None:
            self.copy(number)

    def copy(self, number: int) -> None:
        """Offer what can be copied of an example, over whichever screen is shown."""
        self._screen.work(partial(self._offer_copy, number))

    async def _offer_copy(self, number: int) -> None:
        from tui.screens.copy_menu import CopyMenu

        shown = await self._bench.curator.example(number)
        if shown is not None:
            self._screen.app.push_screen(CopyMenu(self._bench, shown), self._copy)

    def _edit(self, *, outside: bool) -> None:
        from tui.screens.edit import EditScreen

        if (shown := self._bench.state.example) is not None:
            self._screen.app.push_screen(EditScreen(self._bench, shown, outside=outside), self._changed)

    def _answered(self, answered: bool | None) -> None:
        """Show the new attempt where the old one stood."""
        self._changed(decided=False)

    def _changed(self, decided: bool | None) -> None:
        shown = self._bench.state.example
        if shown is not None:
            self._bench.curator.drop([shown.number])
        if decided and shown is not None:
            self._bench.state.queue.advance()
        self._screen.looking.look(anew=True)

    def _open(self, number: int | None) -> None:
        if number is not None:
            self._screen.work(partial(self._screen.looking.show_number, number))
        else:
            self._screen.looking.look(anew=True)

    def _do(self, action: str | None) -> None:
        if action:
            self._screen.action_do(action)

    def _copy(self, text: str | None) -> None:
        if text is not None:
            self._screen.work(partial(self._say_copied, text))

    async def _say_copied(self, text: str) -> None:
        told = await copy(self._screen.app, text)
        if self._screen.is_current:
            self._screen.tell(told)
        else:
            self._screen.app.notify(told, markup=False)
