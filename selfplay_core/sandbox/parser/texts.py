"""Text components: what the game's decoder accepts since 1.21.5, and the letters that they show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from selfplay_core.sandbox.facts.registries import COLOUR, known
from selfplay_core.sandbox.parser import scan
from selfplay_core.sandbox.parser.problem import Rejected
from selfplay_core.sandbox.parser.selectors import read_target
from selfplay_core.sandbox.parser.tags import Tag, written

__all__ = ["plain_text", "style_error", "text_error"]

_HEX = re.compile("#0*[0-9a-fA-F]{1,6}")
_STYLES: Final = ("bold", "italic", "underlined", "strikethrough", "obfuscated")
_SOURCES: Final = ("entity", "block", "storage")
_SHOWN: Final = 60
_NO_CODEC: Final = "No matching codec found"

_Check = Callable[[Mapping[str, Tag]], str | None]


def plain_text(value: Tag) -> str:
    """Return the letters of a text, without its styles."""
    if isinstance(value, dict):
        own = next((str(value[key]) for key in ("text", "translate", "selector", "keybind") if key in value), "")
        return own + plain_text(value.get("extra", []))
    if isinstance(value, list):
        return "".join(map(plain_text, value))
    return str(value)


def text_error(value: Tag) -> str | None:
    """Return why the decoder refuses a text, or None."""
    if isinstance(value, str):
        return None
    if isinstance(value, list) and not hasattr(value, "letter"):
        if not value:
            return "List must have contents"
        return next((wrong for part in value if (wrong := text_error(part))), None)
    if not isinstance(value, dict):
        return f"Not a map: {_shown(value)}"
    extra = value.get("extra")
    wrong = _contents_error(value) or style_error(value)
    if wrong or extra is None:
        return wrong
    return text_error(extra) if isinstance(extra, list) else f"Not a list: {_shown(extra)}"


def _shown(value: Tag) -> str:
    text = written(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _contents_error(value: Mapping[str, Tag]) -> str | None:
    kind = value.get("type")
    if kind is not None:
        check = _CONTENTS.get(kind) if isinstance(kind, str) else None
        return check(value) if check else f"Unknown type: {_shown(kind)}"
    wrongs = [check(value) for check in _CONTENTS.values()]
    return None if None in wrongs else f"{_NO_CODEC}: {next((w for w in wrongs if w and 'No key' not in w), wrongs[0])}"


def _needed_string(value: Mapping[str, Tag], key: str) -> str | None:
    if key not in value:
        return f"No key {key} in MapLike[{_shown(dict(value))}]"
    return None if isinstance(value[key], str) else f"Not a string: {_shown(value[key])}"


def _text(value: Mapping[str, Tag]) -> str | None:
    return _needed_string(value, "text")


def _translatable(value: Mapping[str, Tag]) -> str | None:
    arguments = value.get("with")
    wrong = _needed_string(value, "translate")
    if wrong or arguments is None:
        return wrong
    if not isinstance(arguments, list):
        return f"Not a list: {_shown(arguments)}"
    return next((wrong for one in arguments if not isinstance(one, (int, float)) and (wrong := text_error(one))), None)


def _keybind(value: Mapping[str, Tag]) -> str | None:
    return _needed_string(value, "keybind")


def _score(value: Mapping[str, Tag]) -> str | None:
    score = value.get("score")
    if not isinstance(score, dict):
        return f"No key score in MapLike[{_shown(dict(value))}]" if score is None else f"Not a map: {_shown(score)}"
    return _needed_string(score, "name") or _needed_string(score, "objective")


def _selector(value: Mapping[str, Tag]) -> str | None:
    wrong = _needed_string(value, "selector") or _separator_error(value)
    if wrong:
        return wrong
    try:
        read_target(value["selector"], 0)
    except Rejected as rejected:
        return f"Invalid selector component: {value['selector'][:_SHOWN]}: {rejected.problem.message}"
    return None


def _separator_error(value: Mapping[str, Tag]) -> str | None:
    return text_error(value["separator"]) if "separator" in value else None


def _nbt(value: Mapping[str, Tag]) -> str | None:
    wrong = _needed_string(value, "nbt") or _separator_error(value)
    if wrong:
        return wrong
    source = value.get("source")
    if source is not None and source not in _SOURCES:
        return f"Unknown type: {_shown(source)}"
    given = [key for key in ((source,) if source is not None else _SOURCES) if key in value]
    if not given:
        return f"No key {source or 'entity'} in MapLike[{_shown(dict(value))}]"
    wrongs = [_id_error(value, key) if key == "storage" else _needed_string(value, key) for key in given]
    return None if None in wrongs else wrongs[0]


def _object(value: Mapping[str, Tag]) -> str | None:
    # Imported late: a text may hold an item, whose components may hold texts.
    from selfplay_core.sandbox.parser.schema import profile_error

    kind = value.get("object")
    if kind is not None and kind not in ("atlas", "player"):
        return f"Unknown type: {_shown(kind)}"
    if kind != "player" and "sprite" in value:
        return _id_error(value, "sprite") or ("atlas" in value and _id_error(value, "atlas")) or None
    if kind != "atlas" and "player" in value:
        return profile_error(value["player"])
    return f"No key sprite in MapLike[{_shown(dict(value))}]"


_CONTENTS: Final[dict[str, _Check]] = {
    "text": _text,
    "translatable": _translatable,
    "keybind": _keybind,
    "score": _score,
    "selector": _selector,
    "nbt": _nbt,
    "object": _object,
}


def style_error(value: Mapping[str, Tag]) -> str | None:
    """Return why the decoder refuses the style of a text, or None; keys that it does not know are no matter."""
    colour = value.get("color")
    if colour is not None and not isinstance(colour, str):
        return f"Not a string: {_shown(colour)}"
    if colour is not None and not COLOUR.fullmatch(colour) and not _HEX.fullmatch(colour):
        return f"Invalid color name: {colour[:_SHOWN]}"
    for style in _STYLES:
        if style in value and not isinstance(value[style], (int, float)):
            return f"Not a boolean: {_shown(value[style])}"
    if "shadow_color" in value and (wrong := _shadow_error(value["shadow_color"])):
        return wrong
    if "insertion" in value and not isinstance(value["insertion"], str):
        return f"Not a string: {_shown(value['insertion'])}"
    if "font" in value and (wrong := _id_error(value, "font")):
        return wrong
    return _event_error(value, "click_event", _CLICKS) or _event_error(value, "hover_event", _HOVERS)


def _shadow_error(shadow: Tag) -> str | None:
    numbers = shadow if isinstance(shadow, list) else [shadow]
    fine = all(isinstance(number, (int, float)) for number in numbers)
    return None if fine and len(numbers) in (1, 4) else f"Not a colour: {_shown(shadow)}"


def _id_error(value: Mapping[str, Tag], key: str) -> str | None:
    wrong = _needed_string(value, key)
    if wrong:
        return wrong
    try:
        _, end = scan.read_id(value[key], 0)
    except Rejected:
        end = -1
    return None if end == len(value[key]) else f"Not a valid resource location: {value[key][:_SHOWN]}"


def _event_error(value: Mapping[str, Tag], key: str, actions: Mapping[str, _Check]) -> str | None:
    event = value.get(key)
    if event is None:
        return None
    if not isinstance(event, dict):
        return f"Not a map: {_shown(event)}"
    wrong = _needed_string(event, "action")
    if wrong:
        return wrong
    check = actions.get(event["action"])
    return check(event) if check else f"Unknown element name:{event['action'][:_SHOWN]}"


def _open_url(event: Mapping[str, Tag]) -> str | None:
    wrong = _needed_string(event, "url")
    if wrong:
        return wrong
    scheme, colon, rest = event["url"].partition(":")
    if not colon or scheme.lower() not in ("http", "https") or not rest or re.search(r"[\s\"<>\\^`{|}]", rest):
        return f"Unsupported scheme or bad address: {event['url'][:_SHOWN]}"
    return None


def _command(event: Mapping[str, Tag]) -> str | None:
    wrong = _needed_string(event, "command")
    if wrong:
        return wrong
    bad = any(character == "\u00a7" or character < " " or character == "\x7f" for character in event["command"])
    return "Disallowed chat character" if bad else None


def _change_page(event: Mapping[str, Tag]) -> str | None:
    page = event.get("page")
    if page is None:
        return f"No key page in MapLike[{_shown(dict(event))}]"
    if not isinstance(page, (int, float)):
        return f"Not a number: {_shown(page)}"
    return None if int(page) > 0 else f"Value must be positive: {int(page)}"


def _show_dialog(event: Mapping[str, Tag]) -> str | None:
    from selfplay_core.sandbox.parser.schema import family_error

    dialog = event.get("dialog")
    if isinstance(dialog, dict):
        return family_error("resource", "dialog", dialog)
    wrong = _id_error(event, "dialog")
    if wrong:
        return wrong
    name = scan.full_id(str(dialog))
    return None if known("dialog", name) else f"Failed to get element ResourceKey[minecraft:dialog / {name}]"


_CLICKS: Final[dict[str, _Check]] = {
    "open_url": _open_url,
    "run_command": _command,
    "suggest_command": _command,
    "change_page": _change_page,
    "copy_to_clipboard": lambda event: _needed_string(event, "value"),
    "show_dialog": _show_dialog,
    "custom": lambda event: _id_error(event, "id"),
}


def _show_text(event: Mapping[str, Tag]) -> str | None:
    return text_error(event["value"]) if "value" in event else f"No key value in MapLike[{_shown(dict(event))}]"


def _show_item(event: Mapping[str, Tag]) -> str | None:
    from selfplay_core.sandbox.parser.schema import item_error

    return item_error(dict(event))


def _show_entity(event: Mapping[str, Tag]) -> str | None:
    wrong = _id_error(event, "id")
    if wrong:
        return wrong
    if not known("entity_type", scan.full_id(event["id"])):
        return f"Unknown registry key in ResourceKey[minecraft:root / minecraft:entity_type]: {event['id']}"
    uuid = event.get("uuid")
    if uuid is None:
        return f"No key uuid in MapLike[{_shown(dict(event))}]"
    fine = scan.is_uuid(uuid) if isinstance(uuid, str) else isinstance(uuid, list) and len(uuid) == 4
    if not fine:
        return f"Not a UUID: {_shown(uuid)}"
    return text_error(event["name"]) if "name" in event else None


_HOVERS: Final[dict[str, _Check]] = {"show_text": _show_text, "show_item": _show_item, "show_entity": _show_entity}
