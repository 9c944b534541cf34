"""HTML that is safe by construction: text is escaped unless this module made it."""

from __future__ import annotations

import json
from html import escape
from typing import Any

VOID = {"br", "circle", "line", "path", "rect", "stop"}  # written without a closing tag


class Safe(str):
    """Markup that was made here; anything else is text."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | float | bool | None) -> Safe:
    """An element. `class_` is class, `aria_label` is aria-label; None and False are left out."""
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        named = key.rstrip("_").replace("_", "-")
        words.append(named if value is True else f'{named}="{escape(str(value), quote=True)}"')
    opened = " ".join(words)
    if name in VOID:
        return Safe(f"<{opened}/>")
    return Safe(f"<{opened}>{join(*children)}</{name}>")


def join(*children: str) -> Safe:
    """Children side by side."""
    return Safe("".join(c if isinstance(c, Safe) else escape(c, quote=False) for c in children))


def data(value: Any) -> Safe:
    """JSON that cannot close the element that it stands in."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Safe(text)


def place(**numbers: float) -> str:
    """A style that sets custom properties to plain numbers; nothing else reaches a style."""
    return ";".join(f"--{name}:{value:.6g}" for name, value in numbers.items())
