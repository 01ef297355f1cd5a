"""The only table of keys: bindings, key bar, help page, palette and the README's table come from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from selfplay_core.errors import SettingsError
from selfplay_core.text import clip, one_line
from tui.keys.names import key_name

__all__ = ["ACTIONS", "BULK_ROWS", "GROUPS", "REASONS", "SCREENS", "Action", "Keymap", "spoken"]

GROUPS: Final = ("Decide", "Many", "Move", "Look", "Run", "App")
SCREENS: Final = (
    *("review", "edit", "held", "bulk", "dataset", "statistics", "settings", "help", "ask", "tune"),
    *("copy", "confirm", "first"),
)
BULK_ROWS: Final = 8
"""How many examples a page of the bulk screen holds; each is struck by the key of its number."""
REASONS: Final = ("wrong", "unsafe", "unclear", "duplicate", "trivial", "style")
"""Why an example is rejected; the key is the place in this list, from 1."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does: `label` for the key bar, `help` for the help page and the palette.

    `screens` are where it works. `bar` orders the key bar, lower first; 0 stays out of it.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: str
    screens: tuple[str, ...] = ("review",)
    bar: int = 0


_LISTS: Final = ("review", "dataset", "held", "bulk", "settings", "statistics")
_PAGES: Final = (*_LISTS, "help", "first")
_WITHOUT_FIELD: Final = (*_LISTS, "tune", "copy", "confirm", "first")

ACTIONS: Final[tuple[Action, ...]] = (
    Action("accept", ("a",), "accept", "accept, and go to the next pending one", "Decide", bar=1),
    Action("reject", ("r",), "reject", "reject, and go to the next pending one", "Decide", bar=2),
    *(
        Action(f"reject_{number}", (str(number),), reason, f"reject: {reason}", "Decide")
        for number, reason in enumerate(REASONS, start=1)
    ),
    Action("edit", ("e",), "edit", "edit prompt, commands, reasoning and message", "Decide", bar=4),
    Action("edit_outside", ("E",), "$EDITOR", "edit in $EDITOR", "Decide", ("review",)),
    Action("ask_again", ("m",), "ask again", "ask the model once more, with a hint", "Decide", bar=7),
    Action("skip", ("space",), "skip", "skip for now", "Decide", bar=5),
    Action("flag", ("f",), "flag", "flag, or take the flag away", "Decide", ("review", "dataset"), 11),
    Action(
        "undo",
        ("u",),
        "undo",
        "undo the last decision, in the review first an automatic one that is shown",
        "Decide",
        ("review", "bulk", "dataset"),
        6,
    ),
    Action("redo", ("U", "ctrl+y"), "redo", "redo what was undone", "Decide", ("review", "bulk", "dataset")),
    Action("mark", ("x",), "mark", "mark, or take the mark away", "Many", bar=10),
    Action("mark_range", ("v",), "range", "mark all from here to where the key is pressed again", "Many"),
    Action("accept_marked", ("A",), "accept marked", "accept all marked ones", "Many"),
    Action("reject_marked", ("R",), "reject marked", "reject all marked ones", "Many"),
    Action("bulk", ("b",), "bulk", "page through clean first-try examples", "Many", bar=9),
    Action("next", ("j", "down"), "next", "next", "Move", ("review", "dataset", "held", "bulk", "tune")),
    Action("previous", ("k", "up"), "previous", "previous", "Move", ("review", "dataset", "held", "bulk", "tune")),
    Action("next_pending", ("n",), "next pending", "next pending one", "Move"),
    Action("previous_pending", ("N",), "previous pending", "previous pending one", "Move"),
    Action("first", ("g", "home"), "first", "first", "Move", ("review", "dataset")),
    Action("last", ("G", "end"), "last", "last", "Move", ("review", "dataset")),
    Action("scroll_down", ("J",), "scroll", "scroll the pane down", "Move", _LISTS),
    Action("scroll_up", ("K",), "scroll", "scroll the pane up", "Move", _LISTS),
    Action("page_down", ("ctrl+d", "pagedown"), "page", "half a page down", "Move", _PAGES),
    Action("page_up", ("ctrl+u", "pageup"), "page", "half a page up", "Move", _PAGES),
    Action("next_pane", ("tab", "l", "right"), "pane", "next pane", "Move"),
    Action("previous_pane", ("shift+tab", "h", "left"), "pane", "previous pane", "Move"),
    Action("filter", ("slash",), "filter", "filter the list", "Look", ("review", "dataset"), 8),
    Action("conversation", ("o",), "retry", "show the retry conversation, or hide it", "Look", bar=15),
    Action("diff", ("d",), "diff", "mark what changed between attempts, or not", "Look", bar=12),
    Action("zoom", ("z",), "zoom", "give the pane the whole screen, or not", "Look"),
    Action("tail", ("t",), "stream", "follow the stream, or stand still", "Look"),
    Action("hide_left", ("left_square_bracket",), "queue", "show or hide the prompts", "Look", bar=14),
    Action("hide_right", ("right_square_bracket",), "right", "show or hide the conversation", "Look"),
    Action("copy", ("y",), "copy", "copy id, prompt, commands or JSON", "Look", ("review", "dataset"), 13),
    Action("statistics", ("s",), "stats", "statistics", "Look", bar=19),
    Action("dataset", ("B",), "data", "everything that was decided", "Look", bar=20),
    Action("settings", ("comma",), "settings", "settings in force, and where they came from", "Look"),
    Action("held", ("exclamation_mark",), "held", "commands that wait for a person", "Run", bar=17),
    Action("pause", ("p",), "pause", "pause the run, or let it go on", "Run", bar=16),
    Action("tune", ("T",), "tune", "focus category, concurrency and retries of the run", "Run"),
    Action("stop", ("ctrl+c",), "stop run", "finish what has begun and stop the run; the screen stays", "Run"),
    Action("start", ("ctrl+g",), "start run", "start a run, or try again at once", "Run"),
    Action("help", ("question_mark",), "keys", "all keys", "App", _WITHOUT_FIELD, 21),
    Action("palette", ("ctrl+p",), "all", "search all commands", "App", bar=22),
    Action("quit", ("q",), "quit", "finish what has begun and quit; everything is saved", "App", bar=23),
    Action("verify", ("ctrl+r",), "run on server", "run the commands on the server", "Decide", ("edit",), 2),
    Action("save", ("ctrl+s",), "save and accept", "save what was edited, and accept it", "Decide", ("edit",), 1),
    Action("open_editor", ("ctrl+e",), "$EDITOR", "open all fields in $EDITOR", "Decide", ("edit",), 3),
    Action("next_field", ("tab",), "field", "next field", "Move", ("edit",), 4),
    Action("previous_field", ("shift+tab",), "field", "previous field", "Move", ("edit",)),
    Action("verdicts_down", ("ctrl+n", "ctrl+down"), "verdicts", "scroll the verdicts down", "Move", ("edit",)),
    Action("verdicts_up", ("ctrl+b", "ctrl+up"), "verdicts", "scroll the verdicts up", "Move", ("edit",)),
    Action("allow", ("y",), "allow once", "let the shown attempt run this once", "Decide", ("held",), 1),
    Action("deny", ("n",), "deny", "end the shown attempt without running it", "Decide", ("held",), 2),
    Action("deny_pattern", ("N",), "deny pattern", "deny all that begin so, for this run", "Decide", ("held",), 3),
    Action(
        "edit_held", ("e",), "edit", "edit what the model wrote; saving denies what is held", "Decide", ("held",), 4
    ),
    Action("probe", ("p",), "probe", "let the server parse the commands; nothing runs", "Look", ("held",), 5),
    *(
        Action(f"strike_{number}", (str(number),), "strike", f"strike row {number}, or not", "Many", ("bulk",))
        for number in range(1, BULK_ROWS + 1)
    ),
    Action("strike", ("x",), f"or 1-{BULK_ROWS} strike", "strike the row, or not", "Many", ("bulk",), 2),
    Action("accept_page", ("a",), "accept the others", "accept what is not struck, next page", "Many", ("bulk",), 1),
    Action("open_row", ("enter", "o"), "open", "open the row as a whole example", "Look", ("bulk",), 3),
    Action("send", ("enter",), "ask", "ask the model", "Decide", ("ask",), 1),
    Action("less", ("h", "left"), "less", "less, or the one before", "Run", ("tune",), 2),
    Action("more", ("l", "right"), "more", "more, or the next one", "Run", ("tune",), 3),
    Action("apply", ("enter",), "apply", "tell the run", "Run", ("tune",), 1),
    Action("open_gates", ("o",), "reopen", "ask again for categories of which nothing came", "Run", ("tune",), 4),
    Action("copy_id", ("i",), "id", "copy the id of the trace", "Look", ("copy",), 1),
    Action("copy_prompt", ("p",), "prompt", "copy the prompt", "Look", ("copy",), 2),
    Action("copy_commands", ("c",), "commands", "copy the commands, one a line", "Look", ("copy",), 3),
    Action("copy_json", ("j",), "JSON", "copy the row, or the trace that gives none", "Look", ("copy",), 4),
    Action("reopen", ("enter",), "reopen", "open the example in the review screen", "Look", ("dataset",), 1),
    Action("do_found", ("enter",), "do the first one found", "do the first action found", "App", ("help",), 1),
    Action("line_down", ("down",), "scroll", "scroll a line down", "Move", ("help",), 2),
    Action("line_up", ("up",), "scroll", "scroll a line up", "Move", ("help",)),
    Action("choose", ("enter",), "choose", "do what the cursor is on, or go on to the next", "Run", ("first",), 1),
    Action("choose_too", ("space",), "choose", "do what the cursor is on", "Run", ("first",)),
    Action("form_next", ("tab", "down"), "next field", "next field or choice", "Move", ("first",), 2),
    Action("form_previous", ("shift+tab", "up"), "field before", "field or choice before", "Move", ("first",)),
    Action("yes", ("y",), "yes", "yes, do it", "Decide", ("confirm",), 1),
    Action("no", ("n",), "no", "no, leave it", "Decide", ("confirm",), 2),
    Action("quit_anywhere", ("ctrl+q",), "quit", "quit, but ask about an edit that is not saved", "App", SCREENS),
    Action("back", ("escape",), "back", "back, or take marks and filter away", "App", SCREENS, 24),
)


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys in force: the table's, with a person's own in their place."""

    own: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Keymap:
        """Return the keymap for `[review.keys]`.

        Raises SettingsError for an unknown action, an unknown key, or a key used twice.
        """
        known = {action.name: action for action in ACTIONS}
        own: dict[str, tuple[str, ...]] = {}
        for name, keys in settings.items():
            if name not in known:
                raise SettingsError(
                    f"review.keys: there is no action {clip(one_line(name), 40)!r}; the actions are {', '.join(known)}."
                )
            own[name] = tuple(_known_key(name, key.strip()) for key in keys.split(",") if key.strip())
            if not own[name]:
                raise SettingsError(f"review.keys: {name} has no key; give it one, or leave it out.")
        keymap = cls(own)
        for screen in SCREENS:
            keymap._refuse_double(screen)
        return keymap

    def keys(self, action: Action) -> tuple[str, ...]:
        """Return the keys of an action."""
        return self.own.get(action.name, action.keys)

    def on(self, screen: str) -> list[Action]:
        """Return the actions of a screen in the order of the table."""
        return [action for action in ACTIONS if screen in action.screens]

    def shown(self, name: str) -> str:
        """Return the first key of an action as a person reads it."""
        action = next(action for action in ACTIONS if action.name == name)
        return spoken(self.keys(action)[0])

    def bar(self, screen: str) -> list[Action]:
        """Return what the key bar of a screen shows, the most needed first."""
        return sorted((action for action in self.on(screen) if action.bar), key=lambda action: action.bar)

    def _refuse_double(self, screen: str) -> None:
        taken: dict[str, str] = {}
        for action in self.on(screen):
            for key in self.keys(action):
                if key in taken:
                    raise SettingsError(
                        f"review.keys: the key {clip(one_line(key), 40)!r} is given to both {taken[key]} and "
                        f"{action.name}; give one of them another."
                    )
                taken[key] = action.name


def _known_key(action: str, written: str) -> str:
    found = key_name(written)
    if found is None:
        raise SettingsError(
            f"review.keys: {clip(one_line(written), 40)!r}, given to {action}, is no key; write a character or a name "
            "such as a, f5, ctrl+x, pagedown or comma."
        )
    return found


_SPOKEN: Final = {
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "exclamation_mark": "!",
    "question_mark": "?",
    "comma": ",",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def spoken(key: str) -> str:
    """Return a key as the key bar writes it."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _SPOKEN.get(key, key)
