"""The README's table of keys, from the table that the app uses: `python -m tui.keys.table` prints it."""

from __future__ import annotations

from tui.keys.actions import ACTIONS, GROUPS, REASONS, Action, spoken

__all__ = ["key_table"]


def key_table() -> str:
    """Return the keys of the review screen as a Markdown table, one row a group."""
    rows = ["| | keys |", "|---|---|"]
    for group in GROUPS:
        actions = [action for action in ACTIONS if action.group == group and "review" in action.screens]
        rows.append(f"| {group} | {'; '.join(_cells(actions))} |")
    return "\n".join(rows) + "\n"


def _cells(actions: list[Action]) -> list[str]:
    cells: list[str] = []
    for action in actions:
        if action.name == "reject_1":
            cells.append(f"`1`-`{len(REASONS)}` reject as {', '.join(REASONS)}")
        if not action.name.startswith("reject_") or action.name == "reject_marked":
            keys = " ".join(f"`{spoken(key)}`" for key in action.keys)
            cells.append(f"{keys} {action.help}")
    return cells


if __name__ == "__main__":
    print(key_table(), end="")
