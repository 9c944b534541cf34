"""Markdown from values: tables, code and headings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar or a line break in a cell does not end it."""
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
    return "\n".join(lines)


def code(text: str) -> str:
    """Text as it is typed; nothing where there is nothing."""
    return f"`{text}`" if text else ""


def block(text: str, language: str = "text") -> str:
    """Several lines as they are."""
    return f"```{language}\n{text.rstrip()}\n```"


def sentence(text: str) -> str:
    """A remark with a capital and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
